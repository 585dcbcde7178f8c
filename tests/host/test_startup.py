"""What begins in the background fails in the open, and what is not needed is not begun at all."""

import asyncio
import subprocess
import sys

import pytest

from host.startup import Startup


async def fail() -> None:
    raise ValueError("no such thing")


def test_a_part_that_fails_in_the_background_is_logged_and_makes_the_host_unready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        startup = Startup("timers")
        startup.begin(fail())
        assert startup.checks() == []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        (check,) = startup.checks()
        assert (check.name, check.ok, check.required) == ("timers", False, True)
        assert check.detail.endswith("ValueError: no such thing")
        (told,) = caplog.records
        assert told.getMessage() == "timers did not start" and told.exc_info
        await startup.stop()

    asyncio.run(scene())


def test_a_part_that_is_stopped_before_it_has_begun_has_not_failed() -> None:
    async def scene() -> None:
        startup = Startup("mqtt")
        await startup.stop()
        startup.begin(asyncio.sleep(60))
        await startup.stop()
        assert startup.checks() == []

    asyncio.run(scene())


def test_a_host_imports_no_http_client_before_it_needs_one() -> None:
    code = "import sys, host.serve; print(sorted({'httpx', 'rich', 'pygments'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
