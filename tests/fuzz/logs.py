"""Fuzzes what a host reads from the pipe into which a pool prints."""

import asyncio
import itertools
import json
import os
from dataclasses import asdict
from pathlib import Path

from hypothesis import strategies as st

from runtime.loglines import READ_SIZE, LogLine, LogReader
from runtime.spec import PoolSpec
from runtime.worker.logs import RECORD, UNIT
from tests.fuzz.target import Target, any_text

NOWHERE = Path("/nonexistent")
SPEC = PoolSpec("f", 1, "", NOWHERE, NOWHERE, NOWHERE)
MAX_LINE = SPEC.bounds.log_line
FORGED = st.builds(
    lambda parts, end: RECORD + UNIT.join(parts) + end,
    st.lists(any_text() | st.sampled_from(["info", "x" * 100, RECORD]), max_size=6),
    st.sampled_from(["\n", "", "\r\n", "\n\n"]),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
LONG = st.integers(MAX_LINE - 2, 2 * MAX_LINE).map(lambda size: b"x" * size)
PIECES = st.lists(FORGED | st.binary(max_size=60) | LONG, min_size=1, max_size=6)


def check_lines(case: tuple[list[bytes], list[int]]) -> None:
    """However it comes: every line is bounded, can be written as JSON in one line, and no byte is lost."""
    asyncio.run(_read(*case))


async def _read(pieces: list[bytes], places: list[int]) -> None:
    lines: list[LogLine] = []
    reader = LogReader(SPEC, lines.append)
    stream = b"".join(pieces)
    cuts = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    with reader.writing_end() as end:
        for start, stop in itertools.pairwise(cuts):
            for at in range(start, stop, READ_SIZE // 2):
                os.write(end, stream[at : min(stop, at + READ_SIZE // 2)])
                await asyncio.sleep(0)
                await asyncio.sleep(0)
    reader.close()
    for line in lines:
        told = json.dumps(asdict(line), ensure_ascii=False).encode()
        assert b"\n" not in told and len(line.line) <= MAX_LINE + READ_SIZE
        assert len(line.level) <= 16 and len(line.id) <= 64 and line.revision == SPEC.label
    expected = stream.count(b"\n") + (not stream.endswith(b"\n"))
    assert len(lines) >= expected - (not stream)


TARGETS = (
    Target("lines of a log", st.tuples(PIECES, st.lists(st.integers(0, 500), max_size=4)), check_lines, 80),
)
