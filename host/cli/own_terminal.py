"""A terminal of its own for a program that is not trusted with ours, and what passes between the two."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import tty
from collections.abc import Callable, Iterator
from types import FrameType

PIECE = 65_536
OFLAG = 1
"""Place of the output modes in what tcgetattr returns."""

Fds = tuple[int, int, int]


@contextlib.contextmanager
def own_terminal() -> Iterator["OwnTerminal"]:
    """A pseudo terminal, where any of our standard input, output and error is a terminal.

    Whoever has our terminal can type into it (TIOCSTI, ioctl_tty(2)), and the shell would run that. At
    the end it hangs up, and ours is as it was.
    """
    ours = [each for each in (0, 1, 2) if os.isatty(each)]
    if not ours:
        yield OwnTerminal([], -1, -1)
        return
    master, slave = os.openpty()
    terminal = OwnTerminal(ours, master, slave)
    try:
        terminal.take_over_settings()
        yield terminal
    finally:
        terminal.close()


class OwnTerminal:
    """`given` are standard input, output and error for the program: what is none of our terminals stays."""

    def __init__(self, ours: list[int], master: int, slave: int) -> None:
        self._ours = ours
        self._master, self._slave = master, slave
        first, second, third = (slave if each in ours else each for each in (0, 1, 2))
        self.given: Fds = (first, second, third)

    def take_over_settings(self) -> None:
        """Have the keys and the size of ours; lines are ended by ours."""
        settings = termios.tcgetattr(self._ours[0])
        settings[OFLAG] &= ~termios.OPOST
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)
        self._resize()

    def close(self) -> None:
        """Hang up."""
        for each in (self._slave, self._master):
            if each >= 0:
                os.close(each)
        self._slave = self._master = -1

    def attend(self, process: "subprocess.Popen[bytes]") -> int:
        """Pass on what is typed, Ctrl-C too, and what it says, until its end; returns its exit code."""
        with _passing_on(signal.SIGINT, lambda: process.send_signal(signal.SIGINT)):
            if self._ours:
                os.close(self._slave)
                self._slave = -1
                with _passing_on(signal.SIGWINCH, self._resize), self._keys():
                    self._relay(process)
            return process.wait()

    def _resize(self) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(self._ours[0], termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    @contextlib.contextmanager
    def _keys(self) -> Iterator[None]:
        """Each key comes as it is typed."""
        if 0 not in self._ours:
            yield
            return
        before = termios.tcgetattr(0)
        try:
            tty.setraw(0, termios.TCSADRAIN)
            raw = termios.tcgetattr(0)
            raw[OFLAG] = before[OFLAG]
            termios.tcsetattr(0, termios.TCSADRAIN, raw)
            yield
        finally:
            # What nobody has read may be the terminal's answer to what the program said: not for the shell.
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSAFLUSH, before)

    def _relay(self, process: "subprocess.Popen[bytes]") -> None:
        os.set_blocking(self._master, False)
        ended = os.pidfd_open(process.pid)
        typed, listens = b"", 0 in self._ours
        try:
            while True:
                reading = [self._master, ended, *([0] if listens and not typed else [])]
                ready, able, _ = select.select(reading, [self._master] if typed else [], [])
                if (self._master in ready and not self._show()) or ready == [ended]:
                    return
                if 0 in ready and not (typed := _read(0)):
                    # Our terminal is gone, and so is theirs.
                    listens = False
                    process.send_signal(signal.SIGHUP)
                if able:
                    typed = typed[_write(self._master, typed) :]
        finally:
            os.close(ended)

    def _show(self) -> bool:
        """What it said; False when it and all that it has started have let go of the terminal."""
        said = _read(self._master)
        place = next(each for each in (1, 2, 0) if each in self._ours)
        rest = said
        while rest:
            rest = rest[os.write(place, rest) :]
        return bool(said)


def _read(fd: int) -> bytes:
    with contextlib.suppress(OSError):
        return os.read(fd, PIECE)
    return b""


def _write(fd: int, data: bytes) -> int:
    with contextlib.suppress(BlockingIOError):
        return os.write(fd, data)
    return 0


@contextlib.contextmanager
def _passing_on(number: signal.Signals, act: Callable[[], None]) -> Iterator[None]:
    def hear(number: int, frame: FrameType | None) -> None:
        act()

    before = signal.signal(number, hear)
    try:
        yield
    finally:
        signal.signal(number, before)
