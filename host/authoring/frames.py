"""Tracebacks as an author wants them: the package's own frames, in the files that the author edits."""

import re
from collections.abc import Sequence

FRAME = re.compile(r'([\s|+-]*File ")(.*/packages/[0-9a-f]{64}/)?(.*", line \d+.*)')
"""A frame's first line; the second group is where a host keeps the package."""
MARGIN = re.compile(r"\s*\|\s?")
"""What stands before each line of an exception group."""
BELOW_FRAME = ("    ", "  [Previous line repeated")


def own_frames(stack: Sequence[str], folder: str) -> list[str]:
    """The lines of a traceback without frames outside of the package, whose files are below `folder`.

    `folder` ends with a slash, or is empty. A traceback with no frame of the package stays whole.
    """
    lines: list[str] = []
    is_kept, has_own = True, False
    for line in (each.rstrip("\n") for each in stack):
        if found := FRAME.fullmatch(line):
            is_kept = found[2] is not None
            has_own = has_own or is_kept
            if is_kept:
                lines.append(f"{found[1]}{folder}{found[3]}")
            continue
        if not MARGIN.sub("", line, count=1).startswith(BELOW_FRAME):
            is_kept = True
        if is_kept:
            lines.append(line)
    return lines if has_own else list(stack)
