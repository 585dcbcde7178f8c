"""Keeps devices apart: what a rule says of who may send what, held against each event."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from conf.bind import Bind, ValueBound
from runtime.events import InvocationError
from runtime.ratelimit import RateLimit
from triggers.mqtt.messages import Delivery
from triggers.mqtt.takers import UNREAD, text_of

MOST_DEVICES = 10_000
"""Names that are remembered of one rule; of more, those that were silent longest begin anew."""
LONGEST_NAME = 256
"""Characters of a device's name: so that `MOST_DEVICES` of them take a few MB."""
LETTERS, LETTERS_IN = 5, 60.0
"""Dead letters of one device in so many seconds."""
RULE_LETTERS, RULE_LETTERS_IN = 100, 6000.0
"""Dead letters of all devices of a rule: so many at once, and one more each minute. In the thirty days that
letters are kept that is less than half of the letters that are kept."""
LONGEST_SHOWN = 100

Reason = Literal["name", "claim", "value", "rate", "size"]


class DeviceRefusedError(InvocationError):
    """An event is not what its device may send."""

    status = 403


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an event reaches no function; `kept` says whether it becomes a dead letter."""

    reason: Reason
    device: str
    error: InvocationError
    kept: bool


class DeviceGuard:
    """Judges the events of one rule; `claim` is the path at which an event names its device itself.

    `clock` gives seconds, of which only differences count.
    """

    def __init__(self, bind: Bind, claim: Sequence[str], clock: Callable[[], float]) -> None:
        self._level, self._property = bind.level, bind.property
        self._refuses_unnamed = bind.unnamed == "refuse"
        self._values = [(path, path.split("."), bound) for path, bound in bind.values.items()]
        self._claim = claim
        rate = bind.rate
        self._rates = _Rates(rate.count, rate.interval, clock) if rate else None
        self._letters = _Rates(LETTERS, LETTERS_IN, clock)
        self._all_letters = RateLimit(RULE_LETTERS, RULE_LETTERS_IN, clock)

    def device_of(self, delivery: Delivery) -> str:
        """The device that a message is of, "" where it has no name."""
        if self._level is None:
            return delivery.user_properties.get(self._property, "")
        levels = delivery.topic.split("/", self._level)
        return levels[self._level - 1] if len(levels) >= self._level else ""

    def challenge(self, device: str) -> Objection | None:
        """What there is to say against one more event of `device`, whatever is in it; its rate is charged."""
        place = f"user property {self._property}" if self._level is None else f"level {self._level}"
        if len(device) > LONGEST_NAME:
            # Nothing may remember it, so all such names are one.
            why = f"the name of the device, {place} of the message, has more than {LONGEST_NAME} characters"
            return self._object("name", "", why)
        if not device and self._refuses_unnamed:
            return self._object("name", "", f"no device is named by the {place} of the message")
        if self._rates is not None and self._rates.of(device).take():
            return self._object("rate", device, f"{_shown(device)} sends oftener than it may")
        return None

    def judge(self, device: str, event: object) -> Objection | None:
        """What is in `event` that `device` may not say; `event` is as `Takers.read` gave it."""
        try:
            self._check_claim(device, event)
            self._check_values(device, event)
        except _UnfitError as fault:
            return self._object(fault.reason, device, str(fault))
        return None

    def refuse(self, device: str, error: InvocationError) -> Objection:
        """For an event that is too large to be judged."""
        return Objection("size", device, error, self._keeps(device))

    def _object(self, reason: Reason, device: str, why: str) -> Objection:
        return Objection(reason, device, DeviceRefusedError(why), self._keeps(device))

    def _keeps(self, device: str) -> bool:
        return self._letters.of(device).take() == 0.0 and self._all_letters.take() == 0.0

    def _check_claim(self, device: str, event: object) -> None:
        if not device or not isinstance(event, dict | list):
            # Whoever has no name may take any; and nothing is named by what has no parts.
            return
        claimed = _reach(event, self._claim, ("claim", device))
        if isinstance(claimed, dict | list):
            path = ".".join(self._claim)
            raise _UnfitError("claim", f"{path} of {_shown(device)} is no name, but {_kind(claimed)}")
        if (name := text_of(claimed)) and name != device:
            raise _UnfitError(
                "claim", f"it says that it is of {_shown(name)}, and came as one of {_shown(device)}"
            )

    def _check_values(self, device: str, event: object) -> None:
        if self._values and (event is None or event is UNREAD):
            why = f"what {_shown(device)} sent is not JSON, so its values cannot be checked"
            raise _UnfitError("value", why)
        for path, keys, bound in self._values:
            if (wrong := _fault(_reach(event, keys, ("value", device)), bound)) is not None:
                raise _UnfitError("value", f"{path} of {_shown(device)} {wrong}")


class _UnfitError(Exception):
    """Says what in an event does not fit its device."""

    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(why)
        self.reason = reason


def _reach(event: object, keys: Sequence[str], whose: tuple[Reason, str]) -> object:
    """What stands at a path, None where nothing or null does; raises _UnfitError where no object leads on."""
    for number, key in enumerate(keys):
        if event is None:
            return None
        if not isinstance(event, dict):
            reason, device = whose
            where = ".".join(keys[:number]) or "the event"
            raise _UnfitError(reason, f"{where} of {_shown(device)} is no object, but {_kind(event)}")
        event = event.get(key)
    return event


class _Rates:
    """A rate limit for each device."""

    def __init__(self, count: int, interval: float, clock: Callable[[], float]) -> None:
        self._count, self._interval, self._clock = count, interval, clock
        self._known: OrderedDict[str, RateLimit] = OrderedDict()

    def of(self, device: str) -> RateLimit:
        """That of one device."""
        known = self._known.get(device)
        if known is None:
            known = self._known[device] = RateLimit(self._count, self._interval, self._clock)
            if len(self._known) > MOST_DEVICES:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(device)
        return known


def _fault(value: object, bound: ValueBound) -> str | None:
    """What is wrong with a value; None when nothing is."""
    if value is None:
        return None
    if not _is_of_type(value, bound.type):
        return f"is no {bound.type}, but {_kind(value)}"
    if isinstance(value, int | float):
        if bound.min is not None and value < bound.min:
            return f"is {value!r}"[:LONGEST_SHOWN] + f", less than {bound.min:g}"
        if bound.max is not None and value > bound.max:
            return f"is {value!r}"[:LONGEST_SHOWN] + f", more than {bound.max:g}"
    return None


def _is_of_type(value: object, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # JSON has neither infinities nor NaN, though Python reads them; and a number beyond those of a double is
    # one of these wherever it is read as such (RFC 8259, section 6).
    return abs(value) <= sys.float_info.max and (kind == "number" or value == int(value))


def _kind(value: object) -> str:
    return _shown(text_of(value) or type(value).__name__)


def _shown(text: str) -> str:
    return repr(text[:LONGEST_SHOWN])
