"""Which invocations have a record, what is in it, and what becomes of it in memory."""

import asyncio
import json
import re
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conf.observing import Records as Rules
from host.observing.records.record import Record
from host.observing.records.records import PATIENCE, Clocks, Records
from host.observing.records.redaction import blot_headers, read_paths
from host.observing.records.room import Bounds, Kind, count_excess
from host.observing.records.sealing import decode, seal
from host.observing.records.shelf import MEMORY
from runtime.events import Answer, Event, FunctionRaisedError
from runtime.observations import Run, result_of
from tests.observing.told import late, ok, run_of, spec_of

DOCUMENT = Path(__file__).parents[3] / "docs/records.md"
NOW, WALL = 103.0, 1_700_000_003.0
RAISED = FunctionRaisedError("KeyError", "'t'", ["Traceback", '  File "index.py", line 2', "KeyError: 't'"])


class Hands:
    """Clocks that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: WALL + self.now - NOW)


def mqtt_run(outcome: Any, **meta: object) -> Run:
    event = Event(b"{}", None, "mqtt", "rule", {"topic": "t", "qos": 1, **meta}, received=WALL - 3.5)
    return Run(spec_of(), event, outcome, result_of(outcome), 100.0, 101.0, 102.0, 0.5, 7)


def json_run(body: bytes, content_type: str | None = "application/json") -> Run:
    run = run_of(spec_of(), RAISED)
    run.event = Event(body, content_type)
    return run


def sealed(run: Run, *redact: str, **rules: Any) -> dict[str, Any]:
    records = Records(Rules(**rules))
    records.ended(run)
    (record,) = records.shelf
    return seal(record, read_paths(redact))


def test_all_that_failed_has_a_record_and_of_the_rest_a_share() -> None:
    records = Records(Rules(sample=0.25))
    shares = iter([0.1, 0.3, 0.9, 0.24])
    records._random = lambda: next(shares)
    for _ in range(4):
        records.ended(run_of(spec_of(), ok()))
    for outcome in (RAISED, late(), None):
        records.ended(run_of(spec_of(), outcome))
    assert Counter(each.result for each in records.shelf) == Counter(ok=2, raised=1, timeout=1, cancelled=1)
    assert records.totals.made == Counter(ok=2, raised=1, timeout=1, cancelled=1)


def test_a_record_tells_the_whole_way_of_an_event() -> None:
    async def scenario() -> None:
        hands = Hands()
        records = Records(Rules(sample=1), hands.clocks())
        run = mqtt_run(ok(), attempt=3, device="d7")
        records.ended(run)
        record = run.event.timeline
        assert isinstance(record, Record)
        hands.now += 0.25
        record.mark("published")
        assert not record.is_complete
        hands.now += 0.25
        record.mark("acknowledged")
        assert record.is_complete
        view = seal(record, ())
        since = {name: round(value - WALL, 3) for name, value in view["stages"].items()}
        assert since == {
            "received": -3.5,
            "queued": -3.0,
            "started": -1.5,
            "ended": -1.0,
            "published": 0.25,
            "acknowledged": 0.5,
        }
        assert (view["attempt"], view["device"], view["pid"], view["revision"]) == (3, "d7", 7, 1)
        assert view["output"]["body"] == "1"
        records.finish()

    asyncio.run(scenario())


def test_a_record_is_complete_when_what_should_have_come_does_not() -> None:
    async def scenario() -> None:
        hands = Hands()
        records = Records(Rules(sample=1), hands.clocks())
        run = mqtt_run(ok())
        records.ended(run)
        records.sweep()
        assert records.shelf.take_complete() == []
        hands.now = run.ended + PATIENCE
        records.sweep()
        (record,) = records.shelf.take_complete()
        assert record.id == run.event.id
        assert run.event.timeline is not None
        run.event.timeline.mark("acknowledged")
        assert records.shelf.take_complete() == []
        assert "acknowledged" not in record.stages

    asyncio.run(scenario())


def test_what_an_earlier_attempt_left_is_not_told_of_the_next() -> None:
    async def scenario() -> None:
        records = Records(Rules(sample=0))
        run = mqtt_run(late())
        records.ended(run)
        assert run.event.timeline is not None
        run.outcome, run.result = ok(), "ok"
        records.ended(run)
        assert run.event.timeline is None
        records.finish()

    asyncio.run(scenario())


def test_keys_are_redacted_at_any_depth_and_through_lists() -> None:
    body = {"users": [{"name": "a", "password": "p1"}, {"password": "p2"}], "token": 7, "t": 1}
    view = sealed(json_run(json.dumps(body).encode()), "users.password", "token")
    assert json.loads(view["input"]["body"]) == {
        "users": [{"name": "a", "password": "***"}, {"password": "***"}],
        "token": "***",
        "t": 1,
    }
    assert "records.redact" in view["not_again"]
    assert sealed(json_run(b'{"t": 1}'), "token")["not_again"] is None


@pytest.mark.parametrize("body", [b"password=1", b'{"password": 1, "password": 2}', b"[" * 100_000, b"\xff"])
def test_what_cannot_be_redacted_is_not_kept(body: bytes) -> None:
    view = sealed(json_run(body), "password", body=1_000_000)
    assert view["input"]["body"] is None
    assert "records.redact" in view["not_again"]


def test_a_body_that_is_cut_is_not_kept_where_it_should_be_redacted() -> None:
    view = sealed(json_run(b'{"password": "secret"}'), "password", body=10)
    assert view["input"]["body"] is None
    cut = sealed(json_run(b'{"password": "secret"}'), body=10)
    assert (cut["input"]["body"], cut["input"]["size"], cut["input"]["cut"]) == ('{"password', 22, True)
    assert "records.body" in cut["not_again"]


def test_secrets_are_masked_in_bodies_also_where_they_are_cut() -> None:
    run = json_run(b'{"key": "hunter2hunter2", "t": 1}')
    run.spec = replace(run.spec, secrets={"key": "hunter2hunter2"})
    assert json.loads(sealed(run)["input"]["body"]) == {"key": "***", "t": 1}
    assert "secret" in sealed(run)["not_again"]
    run.event = Event(b"hunter2hunter2")
    assert sealed(run, body=8)["input"]["body"] == ""


SECRET_HEADERS = (
    "x-auth-token Set-Cookie2 x-token my-secret-header x-password x-api-key Ocp-Apim-Subscription-Key "
    "x-functions-key X-Access-Key x-jwt X-Credential session-id x-csrf X-XSRF x-signature"
)


@pytest.mark.parametrize("trigger", ["http", "mqtt"])
def test_headers_that_open_something_are_blotted_out(trigger: str) -> None:
    run = json_run(b"{}")
    named = dict.fromkeys(SECRET_HEADERS.split(), "s3cr3t")
    run.event = Event(b"{}", None, trigger, meta={"headers": {**named, "accept": "*/*"}})
    view = sealed(run)
    assert view["meta"]["headers"] == {**dict.fromkeys(named, "***"), "accept": "*/*"}
    assert view["not_again"] is None


def test_every_word_that_the_documents_promise_to_blot_out_is() -> None:
    (promised,) = re.findall(r"whose names say (.*?) are kept", DOCUMENT.read_text(), re.DOTALL)
    words = re.findall(r"`(\w+)`", promised)
    assert {"token", "secret", "key", "auth"} < set(words)
    told = blot_headers({"headers": dict.fromkeys(f"X-{word}-Of-It" for word in words)})
    assert set(told["headers"].values()) == {"***"}


@pytest.mark.parametrize(
    "meta",
    [
        {"path": "/f/hunter2"},
        {"query": {"by": ["hunter2"]}},
        {"query": {"hunter2": ""}},
        {"topic": "in/hunter2"},
    ],
)
def test_what_had_a_secret_in_its_metadata_is_not_run_again_without_it(meta: dict[str, object]) -> None:
    run = json_run(b"{}")
    run.spec = replace(run.spec, secrets={"key": "hunter2"})
    run.event = Event(b"{}", meta=meta)
    view = sealed(run)
    assert "hunter2" not in json.dumps(view)
    assert "metadata" in view["not_again"]


def test_large_stacks_and_metadata_count_and_keep_memory_bounded() -> None:
    records = Records(Rules())
    headers = {f"h{each}": f"{each}" * 20 for each in range(100)}
    tracemalloc.start()
    try:
        for number in range(800):
            stack = [f"{line} " * 50 for line in range(60)]
            run = run_of(spec_of(), FunctionRaisedError("E", f"{number:04}" * 2000, stack))
            run.event = Event(b"{}", meta={"headers": headers})
            records.ended(run)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert records.totals.forgotten["raised"] > 0
    assert MEMORY // 2 < taken < 1.25 * MEMORY


def test_of_a_long_stack_the_end_is_kept() -> None:
    run = json_run(b"{}")
    run.outcome = FunctionRaisedError("E", "m", [f"line {each} {'x' * 1000}" for each in range(60)])
    told = sealed(run)["error"]["stack"]
    assert told[0] == "(what stood above is not kept)"
    assert told[-1].startswith("line 59")
    assert sum(map(len, told)) < 9000


def test_records_that_wait_for_more_to_come_are_bounded_too() -> None:
    async def scenario() -> None:
        records = Records(Rules(sample=1, body=1024 * 1024))
        made: list[Record] = []
        for _ in range(20):
            run = mqtt_run(ok())
            run.event.body = b"x" * 1024 * 1024
            records.ended(run)
            assert isinstance(run.event.timeline, Record)
            made.append(run.event.timeline)
        assert sum(each.is_complete for each in made) >= 5
        records.finish()
        assert all(each.is_complete for each in made)

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"\x00\xff\xfe", "äöü".encode(), b""])
def test_bytes_survive_their_way_through_a_record(body: bytes) -> None:
    assert decode(sealed(json_run(body, None))["input"]) == body


def test_of_a_streamed_answer_is_said_that_nothing_is_kept() -> None:
    class Pieces:
        pass

    pieces: Any = Pieces()
    run = run_of(spec_of(), Answer(b"", stream=pieces))
    view = sealed(run, sample=1)
    assert "streamed" in view["output"]["lost"]


def test_failures_outlive_samples_but_the_newest_of_either_stay() -> None:
    records = Records(Rules(sample=1, most=10))
    for _ in range(8):
        records.ended(run_of(spec_of(), ok()))
    for _ in range(8):
        records.ended(run_of(spec_of(), RAISED))
    assert Counter(each.result for each in records.shelf) == Counter(ok=2, raised=8)
    for _ in range(8):
        records.ended(run_of(spec_of(), RAISED))
    assert Counter(each.result for each in records.shelf) == Counter(ok=1, raised=9)
    assert sorted(each.number for each in records.shelf) == [8, *range(16, 25)]
    assert records.totals.made == Counter(ok=8, raised=16)
    assert records.totals.forgotten == Counter(ok=7, raised=7)


def test_nothing_is_kept_where_nothing_may_be() -> None:
    records = Records(Rules(sample=1, most=0))
    records.ended(run_of(spec_of(), ok()))
    records.ended(run_of(spec_of(), RAISED))
    assert len(records.shelf) == 0
    assert records.totals.forgotten == records.totals.made == Counter(ok=1, raised=1)


def test_bytes_are_bounded_like_the_number_of_records() -> None:
    samples, failures = Kind(10, 1000, [100] * 10), Kind(10, 1000, [100] * 10)
    assert count_excess(samples, failures, Bounds(100, 1500)) == (5, 0)
    assert count_excess(samples, failures, Bounds(100, 500)) == (10, 5)
    assert count_excess(samples, failures, Bounds(100, 2000)) == (0, 0)
