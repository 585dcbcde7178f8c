"""All devices that were heard of, told by pools what became of their events; bounded, the silent ones go."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from host.observing.devices.device import Device, Line
from host.observing.devices.numbers import read_numbers
from host.observing.devices.series import Field
from host.observing.records.redaction import Paths
from runtime.events import Answer
from runtime.observations import Observer, Run

MOST_DEVICES = 10_000
LONGEST_NAME = 256
MOST_LINES = 4
"""Functions of one device whose results are kept."""
FEW = 1000
LARGE, SMALL = 4096, 512
"""Bytes that are kept of each body while there are few devices, and while there are many."""
MOST_POINTS, FEWEST_POINTS, ALL_POINTS = 600, 20, 200_000
"""Moments in the plot of one device, and of all of them together, about."""
LOOKS = 100
"""Events a second in which numbers are looked for, about, whatever comes; of one device it is one at most."""
LONGEST_READ = 16 * 1024


@dataclass(frozen=True)
class Keeping:
    """What may be kept of a body: `most` bytes, and nothing of what stands at the paths `hidden`."""

    hidden: Paths = ()
    most: int = LARGE

    @cached_property
    def digest(self) -> str:
        """Tells bodies that were kept by other rules than these."""
        told = json.dumps([sorted(map(list, self.hidden)), self.most])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Devices(Observer):
    """Costs an event of a device 3 µs, and a look for numbers 30 µs (process_time, Python 3.11).

    `unsaved` are names of those that have changed since they were written, what waits longest first;
    `changed` is a set for somebody who looks, None while nobody does.
    """

    def __init__(self, keeping: Keeping | None = None, clock: Callable[[], float] = time.time) -> None:
        self.keeping = keeping or Keeping()
        self.now = clock
        self.unsaved: dict[str, None] = {}
        self.gone: set[str] = set()
        self.changed: set[str] | None = None
        self._known: OrderedDict[str, Device] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def hidden(self) -> Paths:
        """Of what is not kept."""
        return self.keeping.hidden

    def all(self) -> list[Device]:
        """Those there are now, those that were silent longest first."""
        return list(self._known.values())

    def find(self, name: str) -> Device | None:
        """The one of this name."""
        return self._known.get(name)

    def restore(self, device: Device) -> None:
        """One that an earlier life of the host knew; they come in the order in which they were heard."""
        self._known[device.name] = device
        self._make_room()

    def ended(self, run: Run) -> None:
        """Note what became of a device's event."""
        event = run.event
        name = event.device
        if not name:
            meta = event.meta
            if type(meta) is not dict or not (name := str(meta.get("device") or "")):
                return
        if run.outcome is None:
            return
        name = _writable(name[:LONGEST_NAME])
        device = self._known.get(name)
        if device is None:
            device = self._add(name, event.received)
        else:
            self._known.move_to_end(name)
        line = self._line(device, run.spec.function)
        line.note(run, min(self.keeping.most, LARGE if len(self._known) <= FEW else SMALL))
        device.hear(line, event.received)
        if line.due <= event.received:
            self._look(device, line, run)
        self.unsaved.setdefault(name)
        if self.changed is not None:
            self.changed.add(name)

    def _add(self, name: str, now: float) -> Device:
        device = self._known[name] = Device(name, now, now, now)
        self.gone.discard(name)
        self._make_room()
        return device

    def _make_room(self) -> None:
        while len(self._known) > MOST_DEVICES:
            name, _ = self._known.popitem(last=False)
            self.unsaved.pop(name, None)
            self.gone.add(name)
            if self.changed is not None:
                self.changed.discard(name)

    def _line(self, device: Device, function: str) -> Line:
        line = device.lines.get(function)
        if line is None:
            if len(device.lines) >= MOST_LINES:
                del device.lines[min(device.lines.values(), key=lambda each: each.seen).function]
            line = device.lines[function] = Line(function)
        return line

    def _look(self, device: Device, line: Line, run: Run) -> None:
        received, outcome = run.event.received, run.outcome
        line.due = received + max(1.0, len(self._known) / LOOKS)
        said = dict(self._read("", run.event.body, run))
        if type(outcome) is Answer and outcome.body:
            said |= self._read(line.function, outcome.body, run)
        most = max(FEWEST_POINTS, min(MOST_POINTS, ALL_POINTS // len(self._known)))
        device.series.add(received, said, most)

    def _read(self, of: str, body: bytes, run: Run) -> Mapping[Field, float]:
        if len(body) > LONGEST_READ:
            return {}
        numbers = {Field(of, path): number for path, number in read_numbers(body, self.hidden).items()}
        if run.spec.secrets:
            # One that is a secret of the function shall not be read off a plot.
            mask = run.spec.mask
            return {
                field: number
                for field, number in numbers.items()
                if mask(f"{number:.15g}") == f"{number:.15g}"
            }
        return numbers


def _writable(name: str) -> str:
    # JSON can say half of a surrogate pair, which neither a file nor an address takes.
    return name if name.isascii() else name.encode("utf-8", "replace").decode()
