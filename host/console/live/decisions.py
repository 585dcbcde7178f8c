"""The channel `decisions`: what the autoscaler decided last, of all functions together."""

import time
from collections import deque
from typing import Any

from host.console.live.source import Source
from host.web.views import tell_decision
from runtime.observations import Observer
from runtime.scaling.decisions import Decision, Record
from runtime.spec import PoolSpec

MOST_KEPT = 100
MOST_TOLD = 20
"""Of those that come between two ticks."""


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
        """Whoever begins to look is told what was; raises KeyError for any item, as there is one record."""
        if item:
            raise KeyError(item)
        self._told = self._number

    def begin(self, item: str) -> Any:
        """All that are kept, oldest first."""
        return self._tell(0, MOST_KEPT)

    def tell(self, item: str) -> Any:
        """Those that came since the last time."""
        if self._told == self._number:
            return None
        since, self._told = self._told, self._number
        return self._tell(since, MOST_TOLD)

    def _tell(self, since: int, most: int) -> dict[str, Any]:
        new = [(name, record) for number, name, record in self._kept if number > since][-most:]
        return {"decisions": [{**tell_decision(record), "function": name} for name, record in new]}
