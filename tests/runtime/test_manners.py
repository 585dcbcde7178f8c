"""What the host hears of arbiters and instances: each word once and in its order, and all within bounds."""

import asyncio
from typing import Any

import pytest

from runtime import manners
from runtime.answers import MalformedAnswerError, read_answer
from runtime.events import FunctionRaisedError
from runtime.hearing import ForgedWordError, Hearing
from runtime.slot import Slot
from runtime.told import LONGEST, LONGEST_STACK, MOST_LINES, read_stack, read_text
from runtime.worker.context import MAX_PUBLICATIONS
from runtime.worker.frames import Decoder, encode
from runtime.worker.masks import make_mask
from tests.runtime.test_escapes import Owner

SECRET = "swordfish" * 3


def test_an_arbiter_says_each_word_of_its_boot_once_and_in_order() -> None:
    for words in (["booted", "boxed"], ["boxed", "boxed"], ["failed", "booted"], ["unsafe", "warned"]):
        hearing = Hearing()
        hearing.admit({"op": words[0]})
        with pytest.raises(ForgedWordError):
            hearing.admit({"op": words[1]})


def test_an_arbiter_speaks_of_what_it_was_asked_for() -> None:
    hearing = Hearing()
    hearing.note_ping()
    hearing.note_spawn(1)
    for word in ("boxed", "warned", "booted", "pong", "spawned", "exited"):
        hearing.admit({"op": word, "slot": 1})
    for word in ("pong", "spawned", "exited", "refused", "ended"):
        with pytest.raises(ForgedWordError):
            hearing.admit({"op": word, "slot": 1})


def said(*heads: dict[str, Any]) -> str | None:
    """Why an instance is killed that says this, if it is."""

    async def scene() -> str | None:
        slot = Slot(1, Owner(), 1024)
        slot.hand_over(lambda fds: None)
        slot._sent = 1
        slot.data_received(b"".join(encode(head) for head in heads))
        slot.exited(9)
        slot._socket.close()
        return slot.killed_for

    return asyncio.run(scene())


def test_an_instance_greets_and_is_ready_once() -> None:
    hello, ready = {"op": "hello"}, {"op": "ready", "async": False}
    assert said(hello, ready) is None
    for heads in ((hello, hello), (hello, ready, ready), ({"op": "imported", "files": []},)):
        assert "no answer" in str(said(*heads))


def test_late_answers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "MOST_UNASKED", 3)

    async def scene() -> None:
        slot = Slot(1, Owner(), 1024)
        slot._sent = 1
        for killed_for in (None, None, "it sent too much that nobody asked for"):
            slot.check_sent(1)
            assert slot.killed_for == killed_for
        slot.hand_over(lambda fds: None)
        slot.exited(9)
        slot._socket.close()

    asyncio.run(scene())


def test_frames_come_so_many_at_a_time_and_none_is_lost() -> None:
    decoder = Decoder(10, 2)
    frames = decoder.feed(b"".join(encode({"n": number}) for number in range(5)))
    while more := decoder.feed(b""):
        assert len(more) <= 2
        frames += more
    assert [head["n"] for head, _ in frames] == list(range(5))


def test_a_failure_is_cut_and_shows_no_part_of_a_secret() -> None:
    mask = make_mask([SECRET])
    for shift in range(len(SECRET)):
        text = "x" * (LONGEST - shift) + SECRET * 2000
        assert len(told := read_text(text, mask)) <= LONGEST
        assert set(told.removesuffix("***")) <= set("x*")
        (line,) = read_stack([SECRET * 2000 + "x" * (LONGEST_STACK - shift)], mask)
        assert len(line) <= LONGEST_STACK and set(line) <= set("x*")
    assert read_stack(["line"] * 1000, mask) == ["line"] * MOST_LINES
    assert read_stack([], mask) == []


@pytest.mark.parametrize("changed", [{"stack": "text"}, {"stack": [1]}, {"message": [1]}, {"type": 1}])
def test_a_failure_that_is_no_text_is_malformed(changed: dict[str, Any]) -> None:
    error = {"type": "ValueError", "message": "no", "stack": ["line"]}
    told = read_answer({"n": 1, "k": "raised", "error": error}, b"", "f@1", str)
    assert isinstance(told, FunctionRaisedError)
    with pytest.raises(MalformedAnswerError):
        read_answer({"n": 1, "k": "raised", "error": {**error, **changed}}, b"", "f@1", str)


def test_an_answer_publishes_as_many_messages_as_it_may() -> None:
    one = {"t": "a", "l": 0, "q": 0, "r": False}
    head = {"n": 1, "k": "ok", "s": 0.1, "p": [one] * MAX_PUBLICATIONS}
    read_answer(head, b"", "f@1", str)
    with pytest.raises(MalformedAnswerError, match="1001 messages"):
        read_answer({**head, "p": [*head["p"], one]}, b"", "f@1", str)  # type: ignore[misc]
