"""How the signals that end a process end a command that has folders and processes to tidy up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
SHELL_OFFSET = 128


@contextmanager
def tidying_up() -> Iterator[None]:
    """Have the first of them raise SystemExit within the block, so that each `finally` there has its turn.

    The exit code is what a shell gives to a process that the signal ended. Later signals do nothing; one
    that was ignored before, as after nohup, still is.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]

    def leave(number: int, frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, lambda *_: None)
        raise SystemExit(SHELL_OFFSET + number)

    for each in heard:
        signal.signal(each, leave)
    try:
        yield
    finally:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
