"""What is done in the background goes on whatever happens, and says so once in a row."""

import asyncio
import logging

import pytest

from runtime.steadily import steadily


def test_what_fails_is_tried_again_and_said_once_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [RuntimeError("can't start new thread"), KeyError("x"), None, ValueError("y"), None]

    async def scene() -> None:
        done = asyncio.Event()

        async def act() -> None:
            if not outcomes:
                done.set()
            elif (error := outcomes.pop(0)) is not None:
                raise error

        task = asyncio.create_task(steadily("looking", act, 0.0))
        await asyncio.wait_for(done.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(scene())
    told = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each.levelname for each in told] == ["ERROR", "WARNING"] * 2
    assert "looking: failed" in told[0].message
    assert [bool(each.exc_info) for each in told] == [True, False] * 2
