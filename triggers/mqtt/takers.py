"""Which functions of a rule take an event, and what their order and conflation go by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from conf.devices import Device
from conf.matching import Matcher
from triggers.mqtt.plan import DEVICE, RulePlan

UNREAD = object()
LONGEST_KEY = 256


@dataclass(frozen=True, slots=True)
class Taker:
    """The function at `index` of the rule takes the event, as one of `device`, if that was asked."""

    index: int
    device: str | None


class Takers:
    """Looks at events as a rule asks; what it need not know is not read."""

    def __init__(self, plan: RulePlan) -> None:
        devices: Sequence[Sequence[Device]] = plan.devices or ((),) * len(plan.functions)
        self._everyone = [Taker(index, None) for index in range(len(plan.functions))]
        # No device can be found in what is not JSON; only functions that take every event get it.
        self.takes_all = not all(devices)
        named = [(name, told) for (name, _), told in zip(plan.functions, devices, strict=True)]
        self._matcher = Matcher(named) if any(devices) else None
        self.device_path = plan.care.device.split(".")
        care = plan.care
        # Who says where a device's name stands wants devices to be known.
        self._wants_device = care.latest or care.order == "device" or care.device != DEVICE
        dedupe = plan.care.dedupe
        self._key_path = dedupe.key.split(".") if dedupe is not None else None
        self.reads = bool(self._matcher or self._wants_device or self._key_path or plan.bind)

    def read(self, payload: bytes) -> object:
        """The event as JSON; raises ValueError or RecursionError when it is none."""
        return json.loads(payload) if self.reads else UNREAD

    def of(self, event: object) -> list[Taker]:
        """Who takes the event; with devices, once for each that matches."""
        if self._matcher is None:
            return self._everyone
        return [Taker(index, device) for index, device in self._matcher.match(event)]

    def wants_devices(self) -> bool:
        """Whether functions take the events of some devices only."""
        return self._matcher is not None

    def device_of(self, event: object) -> str:
        """What the event calls its device, or ""."""
        return text_of(dig(event, self.device_path)) if self._wants_device else ""

    def key_of(self, event: object) -> str:
        """What tells the event from others by the rule's `dedupe`, or ""; of a long one its digest."""
        return shortened(text_of(dig(event, self._key_path))) if self._key_path is not None else ""


def shortened(key: str) -> str:
    """A key that may be remembered a hundred thousand times, whatever length a sender gives it."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"sha256:{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def dig(event: object, path: Sequence[str]) -> object:
    """What stands at a path of keys in an event, None where there is nothing."""
    for name in path:
        if not isinstance(event, dict) or name not in event:
            return None
        event = event[name]
    return event


def text_of(value: object) -> str:
    """A value that is no list and no object as text, "" for others and for none."""
    if value is None or isinstance(value, dict | list):
        return ""
    return value if isinstance(value, str) else json.dumps(value)
