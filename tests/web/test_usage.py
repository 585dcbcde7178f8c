"""Usage: what was counted adds up, stays bounded, and outlives a restart."""

import asyncio
import json
from pathlib import Path

import pytest

from host.usage import UsagePart
from runtime.events import (
    Answer,
    DeadlinePassedError,
    Event,
    InvocationError,
    QueueFullError,
    UnknownFunctionError,
)
from runtime.usage import HOUR, HOURS_KEPT, MOST_ROWS, OTHERS, UNKNOWN, Account, Usage, dump, load
from tests.cli.running import fnhost
from tests.hosts import StartHost

ECHO = """
def index(event, context):
    if event == "raise":
        raise ValueError("no")
    return event
"""


def send(usage: Usage, caller: str, target: str = "f", refused: bool = False) -> Event:
    """One event of 3 bytes; what it would have as an answer is the test's."""

    def dispatch(_target: str, _event: Event) -> "asyncio.Future[Answer]":
        if refused:
            raise QueueFullError("full")
        return None  # type: ignore[return-value]

    event = Event(b"abc", caller=caller, source="http")
    try:
        usage.count(dispatch)(target, event)
    except QueueFullError:
        assert refused
    return event


def ended(event: Event, outcome: Answer | DeadlinePassedError) -> None:
    assert event.account is not None
    event.account.end(outcome)


def test_events_are_counted_by_caller_and_target_with_what_became_of_them() -> None:
    usage = Usage(lambda: 0.0)
    ended(send(usage, "a"), Answer(b"12345", seconds=0.5))
    ended(send(usage, "a"), DeadlinePassedError("late"))
    ended(send(usage, "a"), Answer(None, seconds=float("nan")))
    send(usage, "a", refused=True)
    send(usage, "b", "g")
    _, rows = usage.total()
    assert rows[("http", "a", "f")] == Account(3, 1, 1, 9, 5, 0.5)
    assert rows[("http", "b", "g")] == Account(1, 0, 0, 3, 0, 0.0)


def test_hours_are_told_apart_and_old_ones_are_added_up() -> None:
    now = 0.0
    usage = Usage(lambda: now)
    for hour in range(HOURS_KEPT + 10):
        now = hour * HOUR + 10.0
        usage.turn()
        send(usage, "a")
    since, rows = usage.total(now - HOUR)
    assert (since, rows["http", "a", "f"].events) == (now - HOUR - 10.0, 2)
    assert usage.total()[1]["http", "a", "f"].events == HOURS_KEPT + 10
    assert len(usage.hours) == HOURS_KEPT


def test_rows_are_bounded_and_nothing_is_lost_of_the_sum() -> None:
    usage = Usage(lambda: 0.0)
    for number in range(3 * MOST_ROWS):
        send(usage, f"c{number}")
        send(usage, "always")
    _, rows = usage.total()
    assert len(rows) <= MOST_ROWS
    assert rows["http", "always", "f"].events == 3 * MOST_ROWS
    assert sum(account.events for account in rows.values()) == 6 * MOST_ROWS
    assert OTHERS in rows


def test_names_that_anybody_may_think_of_take_one_row() -> None:
    usage = Usage(lambda: 0.0)

    def refuse(target: str, _event: Event) -> "asyncio.Future[Answer]":
        raise UnknownFunctionError(target)

    for number in range(100):
        for ask in (usage.count(refuse), usage.foresee(refuse)):
            with pytest.raises(InvocationError):
                ask(f"{number}" + "x" * 5000, Event(b"", caller="a"))
    assert usage.total()[1] == {("http", "a", UNKNOWN): Account(refused=200)}
    for _ in range(2):
        send(usage, "c" * 5000, "f" * 5000)
    assert usage.total()[1]["http", "c" * 128, "f" * 128].events == 2


def test_what_ends_after_its_row_was_added_to_others_counts_for_those() -> None:
    usage = Usage(lambda: 0.0)
    event = send(usage, "early")
    for number in range(MOST_ROWS):
        send(usage, f"c{number}")
        send(usage, f"c{number}")
    ended(event, Answer(b"12345"))
    ended(event, DeadlinePassedError("late"))
    others = usage.total()[1][OTHERS]
    assert (others.bytes_out, others.failed) == (5, 1)


def test_what_is_counted_already_is_written_once_more_and_then_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        file, usage = tmp_path / "usage.json", Usage()
        part = UsagePart(usage, file)
        await part.flush()
        assert not file.exists()
        event = send(usage, "a")
        await part.flush()
        ended(event, Answer(b"12345"))
        await part.flush()
        assert load(json.loads(file.read_text())["hours"].popitem()[1])["http", "a", "f"].bytes_out == 5
        file.unlink()
        await part.flush()
        assert not file.exists()

    asyncio.run(scenario())


def test_rows_are_read_as_they_were_written() -> None:
    usage = Usage(lambda: 0.0)
    ended(send(usage, "温度"), Answer(b"1", seconds=0.25))
    rows = usage.total()[1]
    assert load(dump(rows)) == rows


@pytest.mark.parametrize("text", ["", "{", "[]", '{"earlier": 1}', '{"began":0,"hours":{},"earlier":[[1]]}'])
def test_a_file_that_is_none_is_left_behind(text: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "usage.json"
        file.write_text(text)
        usage = Usage()
        part = UsagePart(usage, file)
        await part.setup()
        send(usage, "a")
        await part.stop()
        assert file.stat().st_mode & 0o777 == 0o600
        again = Usage()
        await UsagePart(again, file).setup()
        assert again.total()[1]["http", "a", "f"].events == 1

    asyncio.run(scenario())


def test_a_real_host_counts_what_its_caller_counts_and_holds_it_to_its_quota(start_host: StartHost) -> None:
    quotas = 'quotas: [{caller: "127.0.0.*", rate: {label: x, count: 30, interval: 1000s}}]\n'
    host = start_host(quotas.replace("label: x, ", ""))
    assert host.deploy({"index.py": ECHO}, "echo")["type"] == "done"
    answers = [host.invoke("echo", b'"12345"') for _ in range(24)]
    answers += [host.invoke("echo@1", b'"raise"') for _ in range(6)]
    answers += [host.invoke("echo", b"1") for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(refused), refused[0].json()["errorType"]) == (5, "RateLimited")
    assert int(refused[0].headers["retry-after"]) > 10
    waiting = host.invoke("echo", b"1", headers={"x-invocation-type": "async"})
    assert waiting.status_code == 429

    def told(by: str) -> dict[str, object]:
        (row,) = host.client.get(f"{host.url}/api/usage", params={"by": by}).json()["usage"]
        assert row.pop("run_ms") > 0
        return dict(row)

    counts = {"events": 30, "refused": 5, "failed": 6, "bytes_in": 30 * 7, "bytes_out": 24 * 7}
    assert told("caller") == {"trigger": "http", "caller": "127.0.0.1", **counts}
    assert told("function") == {"function": "echo", **counts}
    host.stop()
    host.start()
    assert told("function") == {"function": "echo", **counts}
    shown = fnhost(host.url, "usage", "--by", "caller", "--since", "1h")
    assert shown.exit_code == 0, shown.output
    assert "127.0.0.1" in shown.output and " 30 " in shown.output
    assert host.client.get(f"{host.url}/api/usage", params={"by": "colour"}).status_code == 400
    assert host.client.get(f"{host.url}/api/usage", params={"seconds": "nan"}).status_code == 400
