"""Lines of a log are found by time, level, invocation, revision and pattern, and stay with theirs."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from host.logs import matcher as matchers
from host.logs.entries import join_lines, newest
from host.logs.followers import ROOM
from host.logs.matcher import Matcher, PatternError, TooBusyError
from host.logs.query import Query, Search, parse_since
from host.logs.recent_lines import cost_of
from host.logs.store import LogStore
from host.web.logs import CHUNK, TAIL_ROOM, _newest_fitting, _write
from host.web.places import Places
from runtime.loglines import LogLine
from tests.hosts import RunningHost, StartHost

CODE = {
    "index.py": """
import logging

def index(event, context):
    context.logger.info_with("drift", sensor=3, name="pump", message="said")
    try:
        raise ValueError("no good")
    except ValueError:
        context.logger.exception("failed", extra={"unit": "K"})
    return context.request_id
"""
}


def line(text: str, at: float = 0.0, **told: object) -> LogLine:
    return replace(LogLine(at, "info", "", "f@1", text), **told)  # type: ignore[arg-type]


def texts(lines: list[LogLine]) -> list[str]:
    return [each.line for each in lines]


def searched(folder: Path, lines: list[LogLine], query: Query, count: int = 100) -> list[str]:
    """What is found of these, half of which are on disk only."""
    found: list[LogLine] = []

    async def scene() -> None:
        for part in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
            store = LogStore(folder)
            for each in part:
                store.append(each)
            matcher = Matcher(query.pattern)
            await matcher.open()
            found[:] = await Search(store, "f", query, matcher).find(count, follow=False)
            await matcher.close()
            await store.close()

    asyncio.run(scene())
    return texts(found)


LINES = [
    line("a hot pump", 1.0, id="11aa", fields={"sensor": 3}),
    line("Traceback", 1.1, id="11aa", level="error"),
    line("another", 1.15, id="22bb", level="stderr"),
    line("KeyError: 'x'", 1.2, id="11aa", level="error", more=True),
    line("late", 9.0, revision="f@2"),
    line("last", 9.5, id="22bb", level="debug"),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), ["a hot pump", "Traceback", "KeyError: 'x'", "another", "late", "last"]),
        (Query(since=1.15), ["another", "late", "last"]),
        (Query(level="warning"), ["Traceback", "KeyError: 'x'", "another"]),
        (Query(invocation="11"), ["a hot pump", "Traceback", "KeyError: 'x'"]),
        (Query(revision="f@2"), ["late"]),
        (Query(pattern="KeyError"), ["Traceback", "KeyError: 'x'"]),
        (Query(pattern="sensor=[23]"), ["a hot pump"]),
        (Query(pattern="^l.*t$", level="info"), []),
        (Query(pattern="la(te|st)"), ["late", "last"]),
    ],
)
def test_what_is_wanted_is_found_in_memory_and_on_disk(
    tmp_path: Path, query: Query, found: list[str]
) -> None:
    assert searched(tmp_path, LINES, query) == found


def test_the_newest_lines_are_those_of_whole_entries(tmp_path: Path) -> None:
    found = searched(tmp_path, LINES[:4], Query(pattern="e"), 2)
    assert found[-3:] == ["Traceback", "KeyError: 'x'", "another"]


def test_a_printed_traceback_is_one_entry() -> None:
    printed = [
        "before",
        "Traceback (most recent call last):",
        '  File "x"',
        "    1/0",
        "ZeroDivisionError",
        "after",
    ]
    entries = join_lines(line(each) for each in printed)
    assert [len(each.lines) for each in entries] == [1, 4, 1]
    assert texts(list(newest(entries, 2)))[0] == printed[1]


def test_lines_of_files_that_began_anew_are_found(tmp_path: Path) -> None:
    async def scene() -> None:
        store = LogStore(tmp_path, 200_000)
        for number in range(3000):
            store.append(line(f"number {number}", float(number)))
            if number % 500 == 499:
                await store.close()
        matcher = Matcher("number 1500")
        found = await Search(LogStore(tmp_path), "f", Query(pattern="number 1500"), matcher).find(5, False)
        assert texts(found) == ["number 1500"]
        assert (tmp_path / "f.log.1").exists()

    asyncio.run(scene())


def test_lines_of_earlier_versions_are_read(tmp_path: Path) -> None:
    old = {"time": 1.0, "level": "info", "id": "", "revision": "f@1", "line": "from before"}
    (tmp_path / "f.log").write_text(json.dumps(old) + "\n{cut")
    assert texts(asyncio.run(LogStore(tmp_path).tail("f"))) == ["from before"]


def following(act: Callable[[LogStore, Search], Awaitable[None]], folder: Path, query: Query) -> None:
    async def scene() -> None:
        store, matcher = LogStore(folder), Matcher(query.pattern)
        await matcher.open()
        try:
            await asyncio.wait_for(act(store, Search(store, "f", query, matcher)), 30)
        finally:
            await matcher.close()
            await store.close()

    asyncio.run(scene())


def test_who_follows_gets_an_entry_whose_later_line_is_wanted_from_its_beginning(tmp_path: Path) -> None:
    async def act(store: LogStore, search: Search) -> None:
        store.append(line("KeyError of before"))
        assert texts(await search.find(9, follow=True)) == ["KeyError of before"]
        for each in (*LINES, line("goes on", 9.6, id="11aa", more=True)):
            store.append(each)
        store.end_followers()
        assert texts([each async for each in search.follow()]) == ["Traceback", "KeyError: 'x'", "goes on"]

    following(act, tmp_path, Query(pattern="Key[E]rror"))


def test_a_pattern_that_takes_for_ever_is_given_up_while_the_host_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(store: LogStore, search: Search) -> None:
        # Only now: the interpreter has begun, however long that took.
        monkeypatch.setattr(matchers, "TIME_LIMIT", 0.2)
        store.append(line("a" * 60))
        with pytest.raises(PatternError, match="takes too long"):
            await search.find(9, follow=False)

    following(act, tmp_path, Query(pattern="(a+)+$b"))


def test_a_machine_that_has_no_time_is_named_and_not_the_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(store: LogStore, search: Search) -> None:
        monkeypatch.setattr(matchers, "TIME_LIMIT", 1000.0)
        monkeypatch.setattr(matchers, "WAIT_LIMIT", 0.3)
        store.append(line("a" * 60))
        with pytest.raises(TooBusyError, match=r"machine is too busy .* try again later"):
            await search.find(9, follow=False)

    following(act, tmp_path, Query(pattern="(a+)+$b"))


def test_who_reads_too_slowly_is_told_how_much_is_left_out(tmp_path: Path) -> None:
    async def act(store: LogStore, search: Search) -> None:
        await search.find(9, follow=True)
        for number in range(200):
            store.append(line(f"{number} " + "x" * 16_000))
        coming = search.follow()
        first = [await anext(coming)]
        # There is room again: what is left out is told in its place.
        store.append(line("after"))
        store.end_followers()
        *read, missed, after = first + [each async for each in coming]
        assert texts(read) == [f"{number} " + "x" * 16_000 for number in range(len(read))]
        assert 0 < sum(map(cost_of, read)) <= ROOM and after.line == "after"
        assert missed.line.startswith(f"{200 - len(read)} lines are left out here")

    following(act, tmp_path, Query(level="info"))


def test_an_answer_leaves_in_pieces_between_which_others_have_a_turn() -> None:
    async def scene() -> int:
        pieces = [piece async for piece in _write(deque(line("x" * 1000) for _ in range(2000)), None)]
        assert b"".join(pieces).count(b"\n") == 2000
        assert max(map(len, pieces)) < CHUNK + 2000
        return len(pieces)

    assert asyncio.run(scene()) < 40


def test_what_waits_for_who_follows_is_bounded_from_the_first_line_on() -> None:
    lines = deque(line(f"{number} " + "x" * 16_000) for number in range(2000))
    note, *kept = _newest_fitting(lines)
    assert sum(map(cost_of, kept)) <= TAIL_ROOM and texts(kept) == texts(list(lines)[-len(kept) :])
    assert note.line.startswith(f"{2000 - len(kept)} older lines are left out")


@pytest.mark.parametrize(("pattern", "said"), [("(", "unterminated"), ("x" * 201, "200 characters")])
def test_what_is_no_pattern_is_told(pattern: str, said: str) -> None:
    with pytest.raises(PatternError, match=said):
        asyncio.run(Matcher(pattern).open())


def test_a_time_is_a_duration_ago_or_one_of_iso_8601() -> None:
    assert parse_since("10m", 1000.0) == 400.0
    assert parse_since("1970-01-01T00:01:00Z", 0.0) == 60.0
    assert parse_since("2026-01-31", 0.0) == time.mktime((2026, 1, 31, 0, 0, 0, 0, 0, -1))
    with pytest.raises(ValueError, match="neither"):
        parse_since("yesterday", 0.0)


def asked(host: RunningHost, **query: str) -> list[dict[str, object]]:
    answer = host.client.get(f"{host.url}/api/functions/f/logs", params=query)
    assert answer.status_code == 200, answer.text
    return [json.loads(each) for each in answer.text.splitlines()]


def test_fields_of_a_function_reach_the_api_and_bad_wishes_are_told(start_host: StartHost) -> None:
    host = start_host()
    assert host.deploy(CODE, "f")["type"] == "done"
    invocation = host.invoke("f", {}).json()
    (drift,) = asked(host, grep="sens.r")
    assert (drift["line"], drift["id"]) == ("drift", invocation)
    assert drift["fields"] == {"sensor": 3, "name": "pump", "message": "said"}
    first, *_, last = asked(host, level="error", invocation=invocation[:8], since="1h", revision="1")
    assert (first["line"], first["fields"]) == ("failed", {"unit": "K"})
    assert (last["line"], last["more"]) == ("ValueError: no good", True)
    for name, value in (("level", "loud"), ("since", "soon"), ("grep", "("), ("revision", "-1")):
        answer = host.client.get(f"{host.url}/api/functions/f/logs", params={name: value})
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_places_are_bounded_for_all_and_for_each_and_given_back() -> None:
    places = Places(3, 2, "too many")
    mine, yours = [places.take("me"), places.take("me")], places.take("you")
    for caller in ("me", "you", "another"):
        with pytest.raises(HTTPException) as refused:
            places.take(caller)
        assert (refused.value.status_code, refused.value.detail) == (429, "too many")
    yours.close()
    with pytest.raises(HTTPException):
        places.take("me")
    mine[0].close()
    places.take("me")
    places.take("another")


def test_those_who_follow_by_a_pattern_leave_room_for_searches(start_host: StartHost) -> None:
    host = start_host()
    assert host.deploy(CODE, "f")["type"] == "done"
    host.invoke("f", {})
    path = f"{host.url}/api/functions/f/logs"
    coming = list[Iterator[bytes]]()
    with ExitStack() as following:
        for _ in range(2):
            query = {"grep": "dr.ft", "follow": "1"}
            answer = following.enter_context(host.client.stream("GET", path, params=query))
            assert answer.status_code == 200
            # Kept: a reader that is gone closes its connection, and gives the place back.
            coming.append(answer.iter_raw())
            assert b"drift" in next(coming[-1])
        refused = host.client.get(path, params=query, timeout=20)
        assert (refused.status_code, "follow logs by a pattern" in refused.text) == (429, True)
        assert len(asked(host, grep="dr.ft")) == 1
