"""Gives timers their place in the host: the plan from the config."""

import json
from collections.abc import Mapping

from conf.models import Config, Func
from conf.mqtt import Target as PubTarget
from conf.timers import Timer
from host.retries import make_retries
from triggers.mqtt.plan import Target
from triggers.timers.plan import TimerPlan

UNPUBLISHED = 10.0  # seconds; nothing is confirmed where nothing is published


def make_timers(config: Config) -> tuple[TimerPlan, ...]:
    """The timers of the config, in its order."""
    funcs = {func.model_name: func for func in config.funcs}
    return tuple(_timer_plan(timer, funcs) for timer in config.timers)


def _timer_plan(timer: Timer, funcs: Mapping[str, Func]) -> TimerPlan:
    names = tuple(funcs) if timer.functions is None else timer.functions
    payload, content_type = _payload(timer.payload)
    return TimerPlan(
        name=timer.name,
        functions=names,
        every=timer.every,
        cron=timer.cron,
        timezone=timer.timezone,
        payload=payload,
        content_type=content_type,
        target=_target(timer.pub),
        timeout=timer.pub.timeout if timer.pub else UNPUBLISHED,
        retries=make_retries(names, timer.retry, funcs),
        catch_up=timer.catch_up,
    )


def _target(pub: PubTarget | None) -> Target | None:
    return None if pub is None else Target(pub.name, pub.client_id, pub.topic)


def _payload(told: object) -> tuple[bytes | None, str | None]:
    """The bytes and their content type; a text has none, and is JSON where it parses."""
    if told is None:
        return None, None
    if isinstance(told, str):
        return told.encode(), None
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), "application/json"
