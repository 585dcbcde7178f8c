"""Gives timers their place in the host: the plan from the config, their lifecycle, their page of the API."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from conf.funcs import Func
from conf.models import Config
from conf.mqtt import Target as PubTarget
from conf.timers import Timer
from host.lifecycle import Part
from host.retries import make_retries
from host.startup import Startup
from triggers.mqtt.plan import Target
from triggers.timers.plan import TimerPlan
from triggers.timers.timer import TimerParts
from triggers.timers.trigger import TimerTrigger

UNPUBLISHED = 10.0  # seconds; nothing is confirmed where nothing is published


class TimersPart(Part):
    """Starts after the connections that it publishes through, and stops before them."""

    name = "timers"
    priority = 550

    def __init__(
        self, config: Config, parts: TimerParts, functions_there: Callable[[], Awaitable[None]]
    ) -> None:
        self._trigger = TimerTrigger(make_timers(config), parts)
        self._functions_there = functions_there
        self._startup = Startup(self.name)
        self.checks = self._startup.checks
        self.wake, self.state, self.lanes = self._trigger.wake, self._trigger.state, self._trigger.lanes
        self.views = self._trigger.views

    async def setup(self) -> None:
        """Build the timers."""
        await self._trigger.setup()

    async def start(self) -> None:
        """Begin to fire in the background, once there are functions."""
        self._startup.begin(self._start())

    async def _start(self) -> None:
        # An event for a function that is not there yet would be a dead letter.
        await self._functions_there()
        await self._trigger.start()

    async def retire(self, config: Config) -> None:
        """Let the timers finish that another config does not have as they are; then `apply` it."""
        await self._trigger.retire(make_timers(config))

    async def apply(self, config: Config) -> None:
        """Go over to the timers of another config, whose functions and connections are there."""
        await self._trigger.apply(make_timers(config))

    async def stop(self) -> None:
        """Fire nothing more, and finish what runs."""
        await self._startup.stop()
        await self._trigger.stop()

    def routes(self) -> list[Route]:
        """Where the API shows them."""
        return [Route("/api/timers", self.list_timers, methods=["GET"])]

    async def list_timers(self, request: Request) -> Response:
        """Each timer with its next moment and its counters."""
        return JSONResponse({"timers": [asdict(state) for state in self._trigger.state()]})


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
