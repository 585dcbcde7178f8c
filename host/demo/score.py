"""Counts what the demo has seen, and says what is missing before it counts as shown."""

from collections import Counter
from collections.abc import Iterable

ENOUGH = 20


class Score:
    """Right answers over MQTT by function, and right answers over HTTP."""

    def __init__(self, functions: Iterable[str]) -> None:
        self._functions = tuple(functions)
        self.right: Counter[str] = Counter()
        self.http = 0

    def has_enough(self, function: str) -> bool:
        """Whether this function has been seen to work."""
        return self.right[function] >= ENOUGH

    def sentence(self) -> str:
        """`20 of 20 right answers of industry, 3 of 20 of test, and none over HTTP`."""
        first, *others = (f"{self.right[name]} of {ENOUGH}|{name}" for name in self._functions)
        parts = [first.replace("|", " right answers of "), *(other.replace("|", " of ") for other in others)]
        return f"{', '.join(parts)}, and {self.http or 'none'} over HTTP"
