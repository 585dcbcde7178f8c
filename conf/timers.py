"""The timers of the config: moments that are events."""

import json
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from conf.cron import CronLine, TimeZone
from conf.mqtt import Target
from conf.names import FunctionNames
from conf.retries import Retry
from conf.types import Section, Text, as_text
from conf.units import Duration

SHORTEST = 0.1  # seconds


def check_timer_name(name: str) -> str:
    """`name` if what waits for the timer can be kept under it, else ValueError."""
    if "/" in name:
        raise ValueError(f"{name!r} holds a slash, which names of timers may not")
    return name


def read_payload(value: object) -> object:
    """The text, mapping or list that a timer's events hold; raises ValueError for anything else."""
    if not isinstance(value, dict | list):
        text = as_text(value)
        if not isinstance(text, str) or not text:
            raise ValueError("must be text, a mapping or a list")
        return text
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("holds a number that JSON cannot say") from None
    return value


Payload = Annotated[
    object,
    PlainValidator(read_payload),
    WithJsonSchema({"type": ["string", "integer", "object", "array"], "examples": ['{"line": 3}']}),
]


class Timer(Section):
    """Calls functions at moments that `cron` names, or again and again after `every` so long."""

    name: Annotated[Text, AfterValidator(check_timer_name)] = Field(description="name in logs and metrics")
    cron: CronLine | None = Field(
        default=None, description="moments, in five fields: minute, hour, day, month, weekday"
    )
    timezone: TimeZone = Field(default="UTC", description="time zone of `cron`, such as Asia/Shanghai")
    every: Duration | None = Field(default=None, ge=SHORTEST, description="interval, of 100ms at least")
    functions: FunctionNames | None = Field(
        default=None, description="names of the functions to call; absent: all of `funcs`"
    )
    payload: Payload | None = Field(
        default=None,
        repr=False,
        description="text, or a mapping or list that becomes JSON; absent: an object with name and time",
    )
    pub: Target | None = Field(default=None, description="where results go; absent: they are not published")
    retry: Retry | None = Field(
        default=None, description="when failed events are tried again; absent: as the functions say"
    )
    catch_up: bool = Field(
        default=False,
        description="whether one event makes up for moments missed while the host was down",
    )

    @model_validator(mode="after")
    def check_moments(self) -> "Timer":
        """One thing says when, and a time zone belongs to `cron`."""
        if (self.cron is None) == (self.every is None):
            raise ValueError("write either `cron` or `every`")
        if self.every is not None and "timezone" in self.model_fields_set:
            raise ValueError("`timezone` belongs to `cron`; `every` goes by no clock")
        return self
