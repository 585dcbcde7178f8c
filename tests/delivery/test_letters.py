"""What people do with dead letters, over a real store."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.delivery.burying import LANE, LETTER, bury
from triggers.delivery.letters import (
    RESULT,
    Choice,
    DeadLetters,
    NotWrittenError,
    StrandedLetterError,
    UnknownLetterError,
)
from triggers.store.rows import Letter
from triggers.store.store import DeliveryStore

TARGET = "b1/host-out"
RESULT_LETTER = replace(
    LETTER,
    kind=RESULT,
    lane=TARGET,
    head={
        "topic": "out/1",
        "qos": 1,
        "retain": True,
        "properties": base64.b64encode(b"\x03").decode(),
        "timeout": 5.0,
    },
)


class Scene:
    """A store with letters, and lanes of which some are worked."""

    def __init__(self, store: DeliveryStore) -> None:
        self.store = store
        self.working = {LANE, TARGET}
        self.woken: list[str] = []
        self.letters = DeadLetters(store, self.wake, clock=lambda: 5000.0)

    def wake(self, name: str) -> bool:
        self.woken.append(name)
        return name in self.working

    async def put(self, *letters: Letter) -> list[int]:
        return await bury(self.store, *letters)

    async def seqs(self, choice: Choice = Choice()) -> list[int]:  # noqa: B008 - frozen
        return [each.seq for each in await self.letters.page(choice, None, 1000)]


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    store = DeliveryStore(folder / "delivery.db")
    await store.open()
    try:
        yield Scene(store)
    finally:
        await store.close()


def play(folder: Path, act: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scene(folder) as set_up:
            await act(set_up)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_replayed_event_is_a_row_of_its_lane_with_its_id_and_its_attempts(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        scene.woken.clear()
        await scene.letters.replay(seq)
        (row,) = await scene.store.read_events(LANE, 0, 10)
        assert row.seq > seq
        assert (row.event_id, row.attempts, row.key) == ("11" * 16, 3, "in/1")
        assert (row.head, row.body) == ({**LETTER.head, "replayed": True}, LETTER.body)
        assert await scene.seqs() == []
        assert LANE in scene.woken

    play(tmp_path, act)


def test_a_replayed_event_is_not_taken_for_a_later_delivery_with_its_packet_id(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        await scene.letters.replay(seq)
        (row,) = await scene.store.read_events(LANE, 0, 10)
        assert row.source is None

    play(tmp_path, act)


def test_a_replayed_result_waits_for_its_broker_again_with_its_time_begun_anew(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(RESULT_LETTER)
        await scene.letters.replay(seq)
        (row,) = await scene.store.read_results(TARGET, 0, 10)
        assert (row.topic, row.payload, row.qos, row.retain) == ("out/1", b'{"t": 1}', 1, True)
        assert (row.properties, row.timeout, row.created) == (b"\x03", 5.0, 5000.0)
        assert (row.event_id, row.rule, row.function, row.attempts) == ("11" * 16, "telemetry", "echo", 4)
        assert TARGET in scene.woken
        assert await scene.seqs() == []

    play(tmp_path, act)


def test_who_works_a_lane_is_told_again_once_the_row_is_on_disk(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        before = scene.store.commits
        on_disk: list[bool] = []

        def wake(_: str) -> bool:
            on_disk.append(scene.store.commits > before)
            return True

        await DeadLetters(scene.store, wake).replay(seq)
        assert on_disk == [False, True]

    play(tmp_path, act)


def test_a_letter_whose_rule_is_gone_stays_and_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        scene.working.clear()
        before = scene.store.commits
        why = f"letter {seq} is.*{LANE}: its rule.*is not in the config any more"
        with pytest.raises(StrandedLetterError, match=why):
            await scene.letters.replay(seq)
        assert scene.store.commits == before
        assert await scene.seqs() == [seq]

    play(tmp_path, act)


def test_all_of_a_function_are_replayed_in_the_order_of_their_deaths_but_the_stranded(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        many = [replace(LETTER, event_id=f"{number:032}") for number in range(120)]
        await scene.put(*many, replace(LETTER, function="other"))
        gone = await scene.put(replace(LETTER, lane="mqtt/b1/old/echo"))
        done = await scene.letters.replay_all(Choice(function="echo"))
        assert (done.count, dict(done.stranded)) == (120, {"mqtt/b1/old/echo": 1})
        rows = await scene.store.read_events(LANE, 0, 1000)
        assert [row.event_id for row in rows] == [each.event_id for each in many]
        assert await scene.seqs(Choice(function="echo")) == gone
        assert len(await scene.seqs()) == 2

    play(tmp_path, act)


def test_two_who_replay_the_same_letters_at_once_have_each_tried_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        seqs = await scene.put(*[LETTER] * 30)
        replays = [scene.letters.replay(seq) for seq in seqs]
        everyone = (scene.letters.replay_all(Choice()), scene.letters.replay_all(Choice()))
        await asyncio.gather(*everyone, *replays, return_exceptions=True)
        assert len(await scene.store.read_events(LANE, 0, 1000)) == 30

    play(tmp_path, act)


def test_letters_are_listed_newest_first_page_by_page(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        one, two, three = await scene.put(LETTER, replace(LETTER, rule="other"), LETTER)
        assert await scene.seqs() == [three, two, one]
        assert await scene.seqs(Choice(rule="telemetry")) == [three, one]
        page = await scene.letters.page(Choice(), three, 1)
        assert [each.seq for each in page] == [two]
        assert scene.letters.count == 3

    play(tmp_path, act)


def test_what_is_dropped_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        one, two, three = await scene.put(LETTER, replace(LETTER, rule="other"), LETTER)
        await scene.letters.drop(one)
        assert await scene.seqs() == [three, two]
        assert await scene.letters.drop_all(Choice(rule="telemetry")) == 1
        assert await scene.letters.drop_all(Choice(rule="telemetry")) == 0
        assert await scene.seqs() == [two]
        assert (await scene.letters.show(two)).rule == "other"

    play(tmp_path, act)


def test_a_letter_that_is_not_there_is_said_to_be_unknown(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        await scene.letters.drop(seq)
        for act in (scene.letters.show, scene.letters.replay, scene.letters.drop):
            with pytest.raises(UnknownLetterError, match=f"no dead letter {seq}"):
                await act(seq)

    play(tmp_path, act)


def test_nothing_is_begun_while_the_disk_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(scene: Scene) -> None:
        (seq,) = await scene.put(LETTER)
        monkeypatch.setattr(DeliveryStore, "trouble", property(lambda _: "the disk is full"))
        for change in (scene.letters.replay(seq), scene.letters.drop(seq)):
            with pytest.raises(NotWrittenError, match="nothing is changed: the disk is full"):
                await change
        assert await scene.seqs() == [seq]

    play(tmp_path, act)


def test_a_letter_is_replayed_with_another_payload_in_one_transaction(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        told: list[Letter] = []
        scene.letters.on_replay = told.append
        (seq,) = await scene.put(LETTER)
        before = scene.store.commits
        await scene.letters.replay(seq, b'{"t": 2}')
        assert scene.store.commits == before + 1
        (row,) = await scene.store.read_events(LANE, 0, 10)
        assert (row.body, row.event_id, row.attempts) == (b'{"t": 2}', LETTER.event_id, LETTER.attempts)
        assert await scene.seqs() == []
        assert [each.seq for each in told] == [seq]

    play(tmp_path, act)


def test_kinds_of_letters_are_counted(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.put(LETTER, LETTER, replace(LETTER, function="other"))
        assert await scene.letters.kinds() == [
            ("echo", "telemetry", "ValueError", 2),
            ("other", "telemetry", "ValueError", 1),
        ]

    play(tmp_path, act)
