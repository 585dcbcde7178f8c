"""What a device may say over MQTT: as which device, how often, and with which values."""

import math
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from conf.topics import unshared
from conf.types import DottedPath, Section, Text, Whole
from conf.units import Duration

SOURCE = re.compile(r"topic:([1-9][0-9]{0,2})|property:(.+)")


def _check_source(text: str) -> str:
    if not SOURCE.fullmatch(text):
        raise ValueError(
            f"{text!r} is neither a level of the topic, such as topic:2, nor a user property, such as "
            "property:device"
        )
    return text


def _read_number(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("must be a number")
    return value


Number = Annotated[float, BeforeValidator(_read_number)]


class ValueBound(Section):
    """What a value of an event may be; one that is absent or null is not looked at."""

    type: Literal["number", "integer", "text", "boolean"] = Field(description="its type in JSON")
    min: Number | None = Field(default=None, description="least number")
    max: Number | None = Field(default=None, description="greatest number")

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        """Bounds are of numbers, and leave something between them."""
        if self.type not in ("number", "integer") and (self.min is not None or self.max is not None):
            raise ValueError(f"`min` and `max` are for numbers, and its type is {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` ({self.min:g}) is more than `max` ({self.max:g})")
        return self


class DeviceRate(Section):
    """How often a device may send."""

    count: Whole = Field(ge=1, description="events in each interval, all at once if need be")
    interval: Duration = Field(gt=0, description="length of the interval")


class Bind(Section):
    """Whose an event is by what its broker vouches for; what does not fit reaches no function."""

    source: Annotated[Text, AfterValidator(_check_source)] = Field(
        alias="from",
        description="where the device's name is: level of the topic, from 1, such as `topic:2`, or user "
        "property (MQTT 5), such as `property:device`",
    )
    unnamed: Literal["refuse", "allow"] = Field(
        default="refuse", description="what becomes of events that have no name there"
    )
    rate: DeviceRate | None = Field(default=None, description="how often one device may send")
    values: dict[DottedPath, ValueBound] = Field(
        default_factory=dict, description="bounds of values, by their paths in the event"
    )

    @property
    def level(self) -> int | None:
        """The level of the topic, from 1; None for a user property."""
        found = SOURCE.fullmatch(self.source)
        return int(found[1]) if found and found[1] else None

    @property
    def property(self) -> str:
        """The user property, "" for a level of the topic."""
        return "" if self.level is not None else self.source.partition(":")[2]

    def check_filter(self, topic_filter: str) -> None:
        """Raise ValueError where the level is the same for every device."""
        levels = unshared(topic_filter).split("/")
        if self.level is None or "#" in levels[: self.level]:
            return
        if self.level > len(levels) or levels[self.level - 1] != "+":
            told = repr(levels[self.level - 1]) if self.level <= len(levels) else "not there"
            raise ValueError(
                f"level {self.level} of {topic_filter!r} is {told}, the same for every device; "
                "name one that is + or below #"
            )
