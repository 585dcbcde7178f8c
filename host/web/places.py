"""Places for what takes long and costs much, so many in all and for each caller."""

from collections import Counter
from contextlib import ExitStack

from starlette.exceptions import HTTPException


class Places:
    """`most` for all callers, `each` for one of them; `taken` is the sentence for who gets none."""

    def __init__(self, most: int, each: int, taken: str) -> None:
        self._most = most
        self._each = each
        self._taken = taken
        self._callers: Counter[str] = Counter()

    def take(self, caller: str) -> ExitStack:
        """A place until this is closed; raises HTTPException (429)."""
        if self._callers[caller] >= self._each or self._callers.total() >= self._most:
            raise HTTPException(429, self._taken)
        self._callers[caller] += 1
        place = ExitStack()
        place.callback(self._give_back, caller)
        return place

    def _give_back(self, caller: str) -> None:
        self._callers -= Counter([caller])  # forgets callers that have none
