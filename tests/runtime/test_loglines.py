"""What a pool prints is read at a bounded rate, in lines of a bounded length."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.loglines import BURST, LogLine, LogReader
from runtime.spec import Bounds, PoolSpec

KIB = 1024


def printed(bounds: Bounds, write: Callable[[int], None], secret: str = "") -> list[str]:
    """The lines that a reader with these bounds makes of what is written to its pipe in a thread."""
    lines: list[LogLine] = []
    spec = PoolSpec("f", 1, "", Path(), Path(), Path(), bounds=bounds, secrets={"K": secret})

    async def scene() -> None:
        reader = LogReader(spec, lines.append)
        with reader.writing_end() as end:
            await asyncio.to_thread(write, end)
        reader.close()

    asyncio.run(scene())
    return [line.line for line in lines]


def test_a_line_of_the_longest_length_stays_whole_and_a_longer_one_goes_on_in_the_next() -> None:
    text = b"x" * 4096 + b"\n" + b"y" * 4097 + b"\nend"
    assert printed(Bounds(log_line=4096), lambda end: print_all(end, text)) == [
        *("x" * 4096, "y" * 4096, "y", "end")
    ]


def test_a_line_that_never_ends_fills_no_memory() -> None:
    lines = printed(Bounds(log_line=4096, log_rate=1 << 30), lambda end: print_all(end, b"x" * 300_000))
    assert "".join(lines) == "x" * 300_000
    assert max(map(len, lines)) <= 4096


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("before", [4096 - 7, 4096, 2 * 4096 - 7])
def test_a_secret_where_a_line_is_cut_is_masked(before: int, end: bytes) -> None:
    secret = "p4ssw0rd-of-the-pr\u00e9ss"
    text = b"y" * before + secret.encode() + end

    def write_both(pipe: int) -> None:
        print_all(pipe, text[: before + 9])
        print_all(pipe, text[before + 9 :])

    lines = printed(Bounds(log_line=4096), write_both, secret)
    assert "".join(lines) == "y" * before + "***"
    assert max(map(len, lines)) <= 4096


def test_what_comes_faster_than_the_rate_is_dropped_and_counted_in_a_line() -> None:
    rate = 4 * KIB
    text = (b"x" * 63 + b"\n") * 10_000
    *kept, last = printed(Bounds(log_rate=rate), lambda end: print_all(end, text))
    dropped = int(last.split()[0])
    assert last.endswith(f"bytes were printed faster than {rate} bytes/s and dropped (`limits.log_rate`)")
    assert dropped >= len(text) - 2 * BURST * rate
    assert sum(len(line) + 1 for line in kept) + dropped >= len(text) - 200


def print_all(end: int, text: bytes) -> None:
    while text:
        text = text[os.write(end, text) :]
