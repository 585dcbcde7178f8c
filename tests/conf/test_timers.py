"""The native config: timers, and what they are for the trigger."""

from dataclasses import replace
from pathlib import Path

import pytest

from host.timers import make_timers
from tests.conf.reading import faults, read
from triggers.delivery.retry import RetryPolicy
from triggers.mqtt.plan import Target
from triggers.timers.plan import TimerPlan

FUNCS = "funcs: [{modelName: a}, {modelName: b, retry: {attempts: 7}}]\n"
BROKER = "mqtts: [{name: b1, broker: 'tcp://h1', qos: 1}]\n"
PLAIN = TimerPlan(
    name="t",
    functions=("a", "b"),
    every=0.1,
    cron=None,
    timezone="UTC",
    payload=None,
    content_type=None,
    target=None,
    timeout=10.0,
    retries=(RetryPolicy(), RetryPolicy(attempts=7)),
    catch_up=False,
)


def plan_of(folder: Path, timer: str) -> TimerPlan:
    (plan,) = make_timers(read(folder, f"{BROKER}{FUNCS}timers: [{{{timer}}}]"))
    return plan


def test_a_timer_calls_all_functions_unless_it_names_some(tmp_path: Path) -> None:
    assert plan_of(tmp_path, "name: t, every: 100ms") == PLAIN
    some = plan_of(tmp_path, "name: t, every: 100ms, functions: [b]")
    assert some == replace(PLAIN, functions=("b",), retries=(RetryPolicy(attempts=7),))


def test_all_that_can_be_said_of_a_timer_reaches_the_trigger(tmp_path: Path) -> None:
    timer = (
        "name: t, cron: '*/5 6-20 * * mon-fri', timezone: Asia/Shanghai, functions: [a],"
        " payload: {线: [1, null, {a: 0.5}]}, pub: {name: b1, clientId: 9, topic: out, timeout: 3s},"
        " retry: {attempts: 1}, catch_up: true"
    )
    assert plan_of(tmp_path, timer) == TimerPlan(
        name="t",
        functions=("a",),
        every=None,
        cron="*/5 6-20 * * mon-fri",
        timezone="Asia/Shanghai",
        payload='{"线":[1,null,{"a":0.5}]}'.encode(),
        content_type="application/json",
        target=Target("b1", "9", "out"),
        timeout=3.0,
        retries=(RetryPolicy(attempts=1),),
        catch_up=True,
    )


@pytest.mark.parametrize(
    ("told", "payload", "content_type"),
    [
        ("go", b"go", None),
        ("5", b"5", None),
        ("[]", b"[]", "application/json"),
        ("{}", b"{}", "application/json"),
        ("null", None, None),
    ],
)
def test_a_payload_is_text_or_becomes_json(
    tmp_path: Path, told: str, payload: bytes | None, content_type: str | None
) -> None:
    plan = plan_of(tmp_path, f"name: t, every: 1s, payload: {told}")
    assert (plan.payload, plan.content_type) == (payload, content_type)


def test_a_payload_is_not_printed_since_it_may_hold_a_secret(tmp_path: Path) -> None:
    text = FUNCS + "timers: [{name: t, every: 1s, payload: {key: '${env:S}'}}]"
    config = read(tmp_path, text, {"S": "hush"})
    (plan,) = make_timers(config)
    assert plan.payload == b'{"key":"hush"}'
    assert "hush" not in repr(config) + repr(plan)


@pytest.mark.parametrize(
    ("timer", "path", "words"),
    [
        ("every: 1s", ".name", "is required"),
        ("name: a/b, every: 1s", ".name", "holds a slash"),
        ("name: t", "", "either `cron` or `every`"),
        ("name: t, every: 1s, cron: '* * * * *'", "", "either `cron` or `every`"),
        ("name: t, every: 99ms", ".every", "at least 100ms"),
        ("name: t, every: 1s, timezone: UTC", "", "belongs to `cron`"),
        ("name: t, cron: '* * * *'", ".cron", "five fields"),
        ("name: t, cron: '@hourly'", ".cron", "five fields"),
        ("name: t, cron: '* * * * * *'", ".cron", "five fields"),
        ("name: t, cron: '61 * * * *'", ".cron", "is no line of cron"),
        ("name: t, cron: '0 0 30 2 *'", ".cron", "never comes"),
        ("name: t, cron: '* * * * *', timezone: asia/shanghai", ".timezone", "did you mean Asia/Shanghai?"),
        ("name: t, cron: '* * * * *', timezone: /etc/passwd", ".timezone", "is no time zone"),
        ("name: t, every: 1s, payload: true", ".payload", "in quotes"),
        ("name: t, every: 1s, payload: ''", ".payload", "must be text, a mapping or a list"),
        ("name: t, every: 1s, payload: [1e999]", ".payload", "JSON cannot say"),
        ("name: t, every: 1s, functions: []", ".functions", "must not be empty"),
        ("name: t, every: 1s, functions: [a, c]", ".functions[1]", "no function is named 'c'"),
        (
            "name: t, every: 1s, pub: {name: b2, clientId: 1, topic: x}",
            ".pub.name",
            "no broker is named 'b2'",
        ),
        ("name: t, every: 1s, pub: {name: b1, clientId: 1, topic: x/#}", ".pub.topic", "wildcard"),
        ("name: t, every: 1s, order: topic", ".order", "is not a known key"),
    ],
)
def test_timers_that_cannot_work_are_refused(tmp_path: Path, timer: str, path: str, words: str) -> None:
    found = faults(tmp_path, f"{BROKER}{FUNCS}timers: [{{{timer}}}]")
    assert list(found) == [f"timers[0]{path}"]
    assert words in found[f"timers[0]{path}"].message


def test_two_timers_have_two_names(tmp_path: Path) -> None:
    found = faults(tmp_path, "timers: [{name: t, every: 1s}, {name: t, every: 2s}]")
    assert found["timers[1].name"].message == "'t' is the name of timers[0] already"


@pytest.mark.parametrize(("named", "name"), [("name: telemetry, ", "telemetry"), ("", "rule0")])
def test_a_timer_has_not_the_name_of_a_rule_since_dead_letters_are_told_by_it(
    tmp_path: Path, named: str, name: str
) -> None:
    rule = "sub: {name: b1, clientId: 1, topic: in}, pub: {name: b1, clientId: 2, topic: out}"
    text = f"{BROKER}rules: [{{{named}{rule}}}]\ntimers: [{{name: {name}, every: 1s}}]\n"
    found = faults(tmp_path, text)
    assert list(found) == ["timers[0].name"]
    assert found["timers[0].name"].message == f"{name!r} is the name of rules[0] already"


def test_a_timer_does_not_take_a_rules_connection_away(tmp_path: Path) -> None:
    text = BROKER + (
        "rules: [{sub: {name: b1, clientId: 1, topic: in}, pub: {name: b1, clientId: 2, topic: out}}]\n"
        "timers: [{name: t, every: 1s, pub: {name: b1, clientId: 1, topic: in}}]\n"
    )
    assert list(faults(tmp_path, text)) == ["timers[0].pub.clientId"]
    assert read(tmp_path, text.replace("clientId: 1, topic: in}}]", "clientId: 2, topic: in}}]")).timers


def test_an_unknown_function_is_told_with_the_nearest(tmp_path: Path) -> None:
    found = faults(tmp_path, FUNCS + "timers: [{name: t, every: 1s, functions: [A, zzz]}]")
    assert found["timers[0].functions[0]"].hint == "did you mean `a`?"
    assert found["timers[0].functions[1]"].hint == "those under `funcs`: a, b"
