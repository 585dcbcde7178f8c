"""An event loop whose clock a test can put forward."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class ClockedLoop(asyncio.SelectorEventLoop):
    """Its time is `ahead` seconds before that of the machine; threads and files are real."""

    ahead = 0.0

    def time(self) -> float:
        """Seconds, as every loop has them."""
        return super().time() + self.ahead


def advance(seconds: float) -> None:
    """Let so much time pass at once: all timers that fall into it are due."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, ClockedLoop)
    loop.ahead += seconds


def play_clocked(scene: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine on such a loop."""
    with asyncio.Runner(loop_factory=ClockedLoop) as runner:
        runner.run(scene)
