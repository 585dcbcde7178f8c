"""Keeps devices apart: what a rule says of who may send what, held against each event."""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from conf.bind import Bind, ValueBound
from runtime.events import InvocationError
from runtime.ratelimit import RateLimit
from triggers.mqtt.messages import Delivery
from triggers.mqtt.takers import UNREAD, dig, text_of

MOST_DEVICES = 10_000
"""Names that are remembered of one rule; of more, those that were silent longest begin anew."""
LETTERS, LETTERS_IN = 5, 60.0
"""Dead letters of one device in so many seconds."""
RULE_LETTERS, RULE_LETTERS_IN = 100, 6000.0
"""Dead letters of all devices of a rule: so many at once, and one more each minute. In the thirty days that
letters are kept that is less than half of the letters that are kept."""
LONGEST_SHOWN = 100

Reason = Literal["name", "claim", "value", "rate"]


class DeviceRefusedError(InvocationError):
    """An event is not what its device may send."""

    status = 403


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event reaches no function; `kept` says whether it becomes a dead letter."""

    reason: Reason
    device: str
    error: DeviceRefusedError
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

    def judge(self, device: str, event: object) -> Refusal | None:
        """Why an event of `device` may not pass; None when it may. `event` is as `Takers.read` gave it."""
        if (found := self._fault(device, event)) is None:
            return None
        reason, why = found
        kept = self._letters.of(device).take() == 0.0 and self._all_letters.take() == 0.0
        return Refusal(reason, device, DeviceRefusedError(why), kept)

    def _fault(self, device: str, event: object) -> tuple[Reason, str] | None:
        if not device and self._refuses_unnamed:
            place = f"user property {self._property}" if self._level is None else f"level {self._level}"
            return "name", f"no device is named by the {place} of the message"
        claimed = text_of(dig(event, self._claim))
        if claimed and device and claimed != device:
            return "claim", f"it says that it is of {_shown(claimed)}, and came as one of {_shown(device)}"
        for path, keys, bound in self._values:
            if (why := _check(dig(event, keys), bound)) is not None:
                return "value", f"{path} of {_shown(device)} {why}"
        if self._values and (event is None or event is UNREAD):
            return "value", f"what {_shown(device)} sent is not JSON, so its values cannot be checked"
        if self._rates is not None and self._rates.of(device).take():
            return "rate", f"{_shown(device)} sends oftener than it may"
        return None


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


def _check(value: object, bound: ValueBound) -> str | None:
    """What is wrong with a value; None when nothing is."""
    if value is None:
        return None
    if not _is_of_type(value, bound.type):
        return f"is no {bound.type}, but {_shown(text_of(value) or type(value).__name__)}"
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
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        # JSON has neither infinities nor NaN, though Python reads them.
        return math.isfinite(value) and (kind == "number" or value.is_integer())
    return isinstance(value, int)


def _shown(text: str) -> str:
    return repr(text[:LONGEST_SHOWN])
