"""How an invocation comes to its end, and stays there."""

import asyncio
from pathlib import Path

import pytest

from runtime.events import Answer, DeadlinePassedError, Dispatch, Event
from tests.invocations.places import RECORD, opened
from tests.mqtt.clients import play
from triggers.delivery.changes import AddEvents, SaveInvocation
from triggers.delivery.failpoints import Failpoints
from triggers.delivery.store import DeliveryStore, LetterQuery
from triggers.delivery.work import Work, row_of
from triggers.invocations.attempts import Attempts, CancelledInvocationError
from triggers.invocations.ledger import Ledger, LedgerParts

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
