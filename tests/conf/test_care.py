"""The native config: how rules, functions and brokers say that events are cared for."""

from pathlib import Path
from typing import Any

import pytest

from conf.advice import advise
from conf.document import read_document
from conf.load import load_config
from conf.models import Config
from conf.native_text import write_native
from conf.retries import Retry
from host.mqtt import make_plan
from tests.conf.reading import faults, read
from triggers.delivery.retry import KINDS, RetryPolicy
from triggers.mqtt.plan import Care, Dedupe

SIDES = "sub: {name: b1, clientId: 1, topic: in/+}, pub: {name: b1, clientId: 2, topic: out}"
BROKER = "mqtts: [{name: b1, broker: 'tcp://h1', qos: 1}]\n"


def rule(told: str = "") -> str:
    return f"{BROKER}rules: [{{{SIDES}{', ' + told if told else ''}}}]\n"


def care_of(config: Config) -> Care:
    return make_plan(config).rules[0].care


def test_what_is_not_said_is_as_it_was(tmp_path: Path) -> None:
    config = read(tmp_path, rule() + "funcs: [{modelName: a}, {modelName: b}]")
    assert care_of(config) == Care(retries=(RetryPolicy(), RetryPolicy()))
    plan = make_plan(config)
    assert (plan.rules[0].group, plan.brokers[0].status) == (None, None)


def test_what_is_said_reaches_the_trigger(tmp_path: Path) -> None:
    text = rule(
        "group: g, order: device, device: meta.id, max_age: 5s, latest: device,"
        " retry: {attempts: 1, backoff: 200ms, longest: 1m, on: [died, raised]},"
        " dedupe: {key: data.id, window: 10m}, functions: [a]"
    )
    plan = make_plan(read(tmp_path, text.replace("qos: 1", "qos: 1, status: gateway/status")))
    retries = (RetryPolicy(1, 0.2, 60.0, ("died", "raised")),)
    dedupe = Dedupe("data.id", 600.0)
    assert plan.rules[0].care == Care(retries, "device", "meta.id", dedupe, 5.0, latest=True)
    assert (plan.rules[0].group, plan.brokers[0].status) == ("g", "gateway/status")


def test_a_rules_own_retry_wins_over_its_functions(tmp_path: Path) -> None:
    funcs = "funcs: [{modelName: a, retry: {attempts: 5}}, {modelName: b}]\n"
    functions = "functions: [b, a, elsewhere]"
    own = care_of(read(tmp_path, rule(f"{functions}, retry: {{backoff: 2s}}") + funcs))
    assert own.retries == (RetryPolicy(backoff=2.0),) * 3
    theirs = care_of(read(tmp_path, rule(functions) + funcs))
    assert [each.attempts for each in theirs.retries] == [3, 5, 3]


def test_the_kinds_of_failure_are_those_that_the_trigger_tells_apart() -> None:
    assert Retry().on == KINDS


def test_limits_of_delivery_are_read_in_bytes_and_seconds(tmp_path: Path) -> None:
    limits = read(tmp_path, "").limits
    assert (limits.delivery, limits.min_free, limits.dead_letters) == (2**30, None, 100_000)
    day = 86400
    assert (limits.dead_letter_age, limits.outbox_age, limits.result_age) == (30 * day, 7 * day, day)
    assert read(tmp_path, "limits: {min_free: 10MB, outbox_age: 1h}").limits.min_free == 10_000_000


@pytest.mark.parametrize(
    ("told", "path", "words"),
    [
        ("group: a/b", "group", "cannot hold / + or #"),
        ("order: devices", "order", "must be 'none', 'topic' or 'device'"),
        ("device: a..b", "device", "no path of keys"),
        ("latest: topic", "latest", "must be 'device'"),
        ("max_age: 0s", "max_age", "more than 0s"),
        ("dedupe: {window: 1s}", "dedupe.key", "is required"),
        ("dedupe: {key: a}", "dedupe.window", "is required"),
        ("dedupe: {key: .a, window: 1s}", "dedupe.key", "no path of keys"),
        ("retry: {attempts: 0}", "retry.attempts", "at least 1"),
        ("retry: {on: []}", "retry.on", "must not be empty"),
        ("retry: {on: [raise]}", "retry.on[0]", "must be 'raised', 'died', 'timeout' or 'overload'"),
        ("retry: {backoff: soon}", "retry.backoff", "a duration"),
        ("retry: {backoff: 10s, longest: 1s}", "retry", "`backoff` (10s) is longer than `longest` (1s)"),
        ("retry: {backoff: 10m}", "retry", "`longest` (5m, its default)"),
    ],
)
def test_what_cannot_be_is_told_by_path(tmp_path: Path, told: str, path: str, words: str) -> None:
    found = faults(tmp_path, rule(told))
    assert list(found) == [f"rules[0].{path}"]
    assert words in found[f"rules[0].{path}"].message


def test_a_group_is_named_in_one_place(tmp_path: Path) -> None:
    found = faults(tmp_path, rule("group: a").replace("in/+", "$share/b/in/+"))
    assert "write `group` alone" in found["rules[0]"].message


def test_a_group_is_allowed_with_an_old_version_of_mqtt(tmp_path: Path) -> None:
    config = read(tmp_path, rule("group: a").replace("qos: 1", "version: 3.1.1"))
    assert config.rules[0].group == "a"


@pytest.mark.parametrize("status", ["in/1", "in/+"])
def test_a_status_is_not_fed_to_a_rule(tmp_path: Path, status: str) -> None:
    found = faults(tmp_path, rule().replace("qos: 1", f"status: {status}"))
    assert list(found) == ["mqtts[0].status"]


def test_a_status_may_be_where_a_rule_of_another_broker_subscribes(tmp_path: Path) -> None:
    text = rule().replace("qos: 1}", "qos: 1}, {name: b2, broker: 'tcp://h2', status: in/1}")
    assert read(tmp_path, text).mqtts[1].status == "in/1"
    same = text.replace("h2", "h1:1883")
    assert list(faults(tmp_path, same)) == ["mqtts[1].status"]


def test_what_promises_less_than_it_seems_is_told(tmp_path: Path) -> None:
    text = rule("order: topic, dedupe: {key: a, window: 1s}, max_age: 5s, group: g, retained: true")
    config = read(tmp_path, text.replace("qos: 1", "qos: 0") + "funcs: [{modelName: a, retry: {}}]")
    told = {each.path: each.message for each in advise(config)}
    assert list(told) == [f"rules[0]{key}" for key in ("", ".max_age", ".order", ".dedupe", ".retained")]
    assert told["rules[0]"].startswith("`order` and `dedupe` and `retry` hold as far as events come")


def test_a_broker_that_may_lose_events_is_told_once_unless_its_rules_tell_it(tmp_path: Path) -> None:
    brokers = "mqtts: [{name: b1, broker: 'tcp://h1'}, {name: b2, broker: 'tcp://h2'}]\n"
    second = "{sub: {name: b1, clientId: 3, topic: x}, pub: {name: b2, clientId: 4, topic: y}}"
    unsure = f"{brokers}rules: [{{{SIDES}}}, {second}]"
    config = read(tmp_path, unsure)
    (told,) = advise(config)
    assert str(told) == "mqtts[0]: events of broker 'b1' may be lost: it has QoS 0 (write `qos: 1`)"
    assert list(advise(config, native=False)) == []
    (sharper,) = advise(read(tmp_path, unsure.replace("topic: y}", "topic: y}, order: topic")))
    assert sharper.path == "rules[1]" and sharper.message.startswith("`order` holds as far as")


@pytest.mark.parametrize("native", [True, False])
def test_it_is_told_that_qos_2_is_not_what_a_rule_gets(tmp_path: Path, native: bool) -> None:
    (told,) = advise(read(tmp_path, rule().replace("qos: 1", "qos: 2")), native)
    assert (told.path, "taken with QoS 1" in told.message) == ("mqtts[0].qos", True)


@pytest.mark.parametrize("told", ["", "order: device, latest: device", "retry: {}", "max_age: 5s"])
def test_there_is_nothing_to_say_of_what_holds(tmp_path: Path, told: str) -> None:
    assert list(advise(read(tmp_path, rule(told)))) == []


def test_what_is_written_in_the_native_form_is_the_same_config(tmp_path: Path) -> None:
    text = rule(
        "group: g, order: none, retry: {on: [raised], backoff: 1.5s}, dedupe: {key: a.b, window: 1h}"
    ) + (
        "funcs: [{modelName: a, retry: {attempts: 1}}]\n"
        "limits: {delivery: 1GiB, outbox_age: 7d}\n"
        "timers: [{name: t, cron: '0 6 * * mon-fri', timezone: Asia/Shanghai,"
        " payload: {on: [1.5, null, 'x: y']}},"
        " {name: u, every: 100ms, payload: '{\"a\": 1}'}]\n"
    )
    config = read(tmp_path, text)
    tree: Any = read_document(text.encode()).value
    (tmp_path / "again.yaml").write_text(write_native(tree, {}), encoding="utf-8")
    assert load_config(tmp_path / "again.yaml", {}) == config


def test_a_rule_that_names_a_function_twice_is_refused_and_the_function_named(tmp_path: Path) -> None:
    assert "names a more than once" in str(faults(tmp_path, rule("functions: [a, b, a]")))
