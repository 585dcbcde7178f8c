"""The channel `decisions`: what the autoscaler decided last, of all functions together."""

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from host.console.live.source import Source
from host.web.views import tell_decision
from runtime.observations import Observer
from runtime.scaling.decisions import Decision, Record
from runtime.spec import PoolSpec

MOST_KEPT = 100
MOST_TOLD = 20
"""At a time."""


class DecisionsSource(Source, Observer):
    """Keeps the newest decisions, also while nobody looks: they are few, and made before anybody wonders.

    What is told is `{"decisions": […]}`, each as `/api/functions/NAME/why` has it, with its `function`.
    """

    name = "decisions"

    def __init__(self) -> None:
        self._kept: deque[tuple[int, str, Record]] = deque(maxlen=MOST_KEPT)
        self._number = self._told = 0

    def decided(self, spec: PoolSpec, decision: Decision) -> None:
        """Keep it."""
        self._number += 1
        self._kept.append((self._number, spec.function, Record(time.time(), decision)))

    def opened(self, item: str) -> None:
        """Whoever begins to look is told what was."""
        self._told = self._number

    def begin(self, item: str) -> Any:
        """All that are kept, oldest first."""
        return _tell(self._kept)

    def tell(self, item: str) -> Any:
        """Those that came since the last time, the oldest first."""
        if self._told == self._number:
            return None
        new = [each for each in self._kept if each[0] > self._told][:MOST_TOLD]
        self._told = new[-1][0]  # of more, the rest is told the next time
        return _tell(new)


def _tell(kept: Iterable[tuple[int, str, Record]]) -> dict[str, Any]:
    return {"decisions": [{**tell_decision(record), "function": name} for _, name, record in kept]}
