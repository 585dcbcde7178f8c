"""Texts of code that is not trusted: cut before they are masked, since masking takes its time."""

from runtime.worker.masks import Mask

LONGEST = 8 * 1024
"""Characters of a message: what an honest instance tells has as many at most, hint included."""
LONGEST_STACK = 16 * 1024
MOST_LINES = 60
ROOM = 8 * 1024
"""Characters of the longest secret. So many at a cut are masked with the rest, but not shown: the half of a
secret may be among them, which nobody would know for one."""


def read_text(text: str, mask: Mask, longest: int = LONGEST) -> str:
    """Its beginning, masked; raises TypeError when it is no text."""
    if not isinstance(text, str):
        raise TypeError("a message that is no text")
    if len(text) <= longest:
        return mask(text)
    masked = mask(text[: longest + ROOM])
    return masked[: max(0, min(longest, len(masked) - ROOM))]


def read_stack(lines: list[str], mask: Mask) -> list[str]:
    """The last lines, masked, which say most; raises TypeError when they are no list of lines."""
    if not isinstance(lines, list):
        raise TypeError("a stack that is no list")
    text = "\n".join(line[-(LONGEST_STACK + ROOM) :] for line in lines[-MOST_LINES:])
    if len(text) <= LONGEST_STACK:
        return mask(text).split("\n") if lines else []
    masked = mask(text[-(LONGEST_STACK + ROOM) :])
    return masked[max(ROOM, len(masked) - LONGEST_STACK) :].split("\n")
