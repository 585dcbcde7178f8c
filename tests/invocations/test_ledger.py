"""How an invocation comes to its end, and stays there."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.events import Answer, DeadlinePassedError, Dispatch, Event
from tests.invocations.places import MIB, RECORD, opened
from tests.mqtt.clients import play, until
from triggers.delivery.work import Work, row_of
from triggers.invocations.attempts import Attempts, CancelledInvocationError
from triggers.invocations.ledger import Ledger, LedgerParts
from triggers.store.changes import AddEvents, SaveInvocation
from triggers.store.failpoints import Failpoints
from triggers.store.rows import NEVER
from triggers.store.store import DeliveryStore, LetterQuery, StoreLimits

LANE = "async/industry"


def never(target: str, event: Event) -> "asyncio.Future[Answer]":
    return asyncio.get_running_loop().create_future()


def ledger_of(
    store: DeliveryStore, finished: list[str], dispatch: Dispatch = never
) -> tuple[Ledger, Attempts]:
    attempts = Attempts(dispatch, store)
    parts = LedgerParts(store, Failpoints(), attempts, finished.append, 60.0, lambda: 5000.0, lambda: 2000.0)
    return Ledger(parts), attempts


async def begun(store: DeliveryStore) -> Work:
    work = Work(Event(b"{}", id=RECORD.id, received=1000.0), store.next_seq())
    await store.submit(AddEvents((row_of(work, LANE),)), SaveInvocation(RECORD))
    return work


def test_an_answer_takes_the_events_row_away(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, _ = ledger_of(store, [])
            await ledger.answer(LANE, work, Answer(b"1", revision="industry@1"))
            found = await ledger.find(RECORD.id)
            assert (found.state, found.body, found.finished, found.expires) == ("done", b"1", 2000.0, 5060.0)
            assert await store.read_events(LANE, 0, 10) == []

    play(scene())


def test_an_answer_that_http_cannot_say_is_a_failure_with_a_dead_letter(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, _ = ledger_of(store, [])
            await ledger.answer(LANE, work, Answer(b"1", headers={"x": "a\nb"}))
            assert (await ledger.find(RECORD.id)).error["errorType"] == "ResponseError"
            (letter,) = await store.letters(LetterQuery())
            assert (letter.event_id, letter.lane, letter.error_type) == (RECORD.id, LANE, "ResponseError")

    play(scene())


def test_an_answer_with_half_a_character_in_a_header_is_a_failure(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, _ = ledger_of(store, [])
            await ledger.answer(LANE, work, Answer(b"1", headers={"x": "\ud800"}))
            assert (await ledger.find(RECORD.id)).error["errorType"] == "ResponseError"

    play(scene())


def test_results_that_have_no_room_are_dead_letters_until_there_is_room_again(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path, StoreLimits(quota=4 * MIB, min_free=0)) as store:
            ledger, _ = ledger_of(store, [])
            works = [Work(Event(b"{}", id=f"e{n}", received=1000.0), store.next_seq()) for n in range(20)]
            for work in works:
                await store.submit(
                    AddEvents((row_of(work, LANE),)), SaveInvocation(replace(RECORD, id=work.event.id))
                )
            large = Answer(bytes(MIB // 2))
            await asyncio.gather(*(ledger.answer(LANE, work, large) for work in works))
            assert store.trouble is None and await store.read_events(LANE, 0, 99) == []
            letters = await store.letters(LetterQuery())
            # On a slow machine ended ones make room before all of them have come.
            assert 1 <= len(letters) < 20
            assert {letter.error_type for letter in letters} == {"NoRoom"}
            said = f"the result of {MIB // 2} bytes has no room on disk; see limits.delivery"
            assert letters[0].message == said
            await until(lambda: store.dropped_invocations > 0, "ended ones took more than their share")
            await until(lambda: store.takes_in, "there is room again")
            # Room is made a fifth at a time: a try that finds none has the next one find it.
            for letter in letters:
                again = Work(Event(letter.body, id=letter.event_id, received=1000.0), store.next_seq())
                await ledger.answer(LANE, again, large)
                if (await ledger.find(letter.event_id)).state == "done":
                    break
                await until(lambda: store.takes_in, "there is room again")
            else:
                pytest.fail("none has found room again")

    play(scene())


def test_what_was_cancelled_grows_old_only_when_its_event_is_gone(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, _ = ledger_of(store, [])
            await ledger.cancel(RECORD.id)
            assert await store.expired_invocations(NEVER - 1, 9) == []
            await ledger.forget(work)
            assert (await store.read_events(LANE, 0, 9), (await ledger.find(RECORD.id)).expires) == (
                [],
                5060.0,
            )

    play(scene())


def test_a_failure_that_is_replayed_late_has_a_record_again(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            work = Work(Event(b"{}", id="gone", received=1000.0), store.next_seq())
            ledger, _ = ledger_of(store, [])
            await ledger.fail(LANE, work, DeadlinePassedError("too late"))
            found = await ledger.find("gone")
            assert (found.function, found.state, found.error["status"]) == ("industry", "failed", 504)

    play(scene())


def test_an_answer_that_comes_while_the_invocation_is_cancelled_changes_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        finished: list[str] = []
        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, _ = ledger_of(store, finished)
            answer = ledger.answer(LANE, work, Answer(b"1"))
            cancelled, _ = await asyncio.gather(ledger.cancel(RECORD.id), answer)
            assert cancelled.state == (await ledger.find(RECORD.id)).state == "cancelled"
            assert (await store.read_events(LANE, 0, 10), finished) == ([], [])

    play(scene())


def test_what_was_cancelled_is_not_handed_to_its_function(tmp_path: Path) -> None:
    async def scene() -> None:
        asked: list[str] = []

        def note(target: str, event: Event) -> "asyncio.Future[Answer]":
            asked.append(event.id)
            return never(target, event)

        async with opened(tmp_path) as store:
            work = await begun(store)
            ledger, attempts = ledger_of(store, [], note)
            cancelling = asyncio.create_task(ledger.cancel(RECORD.id))
            outcome = attempts.dispatch("industry", work.event)
            with pytest.raises(CancelledInvocationError):
                await outcome
            await cancelling
            with pytest.raises(CancelledInvocationError):
                await attempts.dispatch("industry", work.event)
            assert asked == []

    play(scene())
