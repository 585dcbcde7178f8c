"""The channel `invocations`: which records are new, in brief, so that a list can say that there are more."""

from typing import Any

from host.console.live.source import Source
from host.observing.records.part import RecordsPart
from host.observing.records.records import Records

MOST_NEW = 200
"""Of one second."""


class InvocationsSource(Source):
    """Looks through what is in memory only when there is something new."""

    name = "invocations"

    def __init__(self, recording: RecordsPart, records: Records) -> None:
        self._recording = recording
        self._records = records
        self._told = 0

    def opened(self, item: str) -> None:
        """Begin with what comes next."""
        self._told = self._records.last

    def begin(self, item: str) -> Any:
        """The number of the newest one."""
        return {"last": self._told, "new": []}

    def tell(self, item: str) -> Any:
        """Number, function, result and trigger of each that came."""
        if self._records.last == self._told:
            return None
        new = self._recording.newer(self._told, MOST_NEW)
        self._told = self._records.last
        brief = [[each.number, each.spec.function, each.result, each.trigger] for each in new]
        return {"last": self._told, "new": brief}
