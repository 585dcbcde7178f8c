"""Writes what is new in the history as records, one a minute."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.observing.history.axis import Axis
from host.observing.history.columns import LAYOUTS, SCOPES
from host.observing.history.history import History
from host.observing.history.journal import Journal
from host.observing.history.record import Record, encode
from host.observing.history.series import SAVED, STEPS
from host.observing.slices import Slices


def make_journals(folder: Path) -> dict[int, Journal]:
    """One journal below `folder` for each step that is kept."""
    return {step: Journal(folder / f"{step}s", STEPS[step]) for step in SAVED}


@dataclass(frozen=True)
class Batch:
    """What the last `seconds` have brought, by step."""

    seconds: int
    records: dict[int, Record]


class Saving:
    """Collects in the event loop, and writes in a thread, once at a time."""

    def __init__(self, history: History, journals: dict[int, Journal], axis: Axis) -> None:
        self._history = history
        self._journals = journals
        self._axis = axis
        self._life = secrets.token_hex(8)
        self._collected = axis.now()

    async def collect(self) -> Batch:
        """What is to be written; it counts as written from now on."""
        layouts: dict[str, Any] = {
            scope: [LAYOUTS[scope].packed.format, LAYOUTS[scope].names] for scope in SCOPES
        }
        before, self._collected = self._collected, self._axis.now()
        records = {step: Record(self._life, self._axis.shift, layouts, []) for step in SAVED}
        slices = Slices()
        for key, series in self._history.all():
            for step, record in records.items():
                if rows := series.periods[step].take_unsaved():
                    record.rows.append((key, rows))
            await slices.pause()
        return Batch(max(1, round(self._collected - before)), records)

    def write(self, batch: Batch) -> None:
        """Write it; raises OSError."""
        for step, record in batch.records.items():
            if record.rows:
                self._journals[step].append(encode(record), batch.seconds)
