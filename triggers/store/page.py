"""Rows that are read from disk at once."""

from typing import TypeVar

R = TypeVar("R")

PAGE_BYTES = 16 * 1024 * 1024
"""Bytes of the rows of one page at most; a larger row is a page by itself."""


class Page(list[R]):
    """Rows in order; `cut` says that the next would have made it too large, so that more follow for sure."""

    cut = False
