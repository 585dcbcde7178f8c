"""How the first Ctrl-C ends a command that has processes and folders to clean up."""

import asyncio
import signal
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def cancel_on_signals(noted: Callable[[], None]) -> None:
    """Have the first SIGINT, SIGTERM or SIGHUP call `noted` and cancel this task; later ones do nothing."""
    task = asyncio.current_task()
    assert task is not None

    def note() -> None:
        # The first one is enough: what is left to do is to clean up, and each step of that is limited.
        for number in SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        noted()
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, note)
