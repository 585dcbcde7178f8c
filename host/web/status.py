"""What host this is and how it is, in one answer of the management API."""

import asyncio
import os
import pwd
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.deployment.room import Room
from host.health import Check
from host.observing.compose import Watched
from host.reload import Reloader
from host.remedies import remedy_of
from host.web import views

SIZE_HOLDS = 60.0
"""Seconds for which the size of the state folder is not measured again."""
SIZE_PATIENCE = 2.0


@dataclass(frozen=True)
class StatusParts:
    """What is looked at; `urls` gives the addresses that are really bound."""

    watched: Watched
    room: Room
    reloader: Reloader
    urls: Callable[[], list[str]]


class StatusApi:
    """One endpoint."""

    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts
        self._since = time.time()
        self._loop = asyncio.get_running_loop()
        self._measuring: asyncio.Task[tuple[int, int]] | None = None
        self._measured = 0.0

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/status", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """All of it, as it is now."""
        parts, watched = self._parts, self._parts.watched
        used, most = await self._size()
        memory = watched.scaling.scaler.memory
        config = parts.reloader.config_path
        about = {"version": version("fnhost"), "pid": os.getpid(), "user": _user(), "since": self._since}
        places = {"addresses": parts.urls(), "config": str(config) if config else None}
        told = {
            **about,
            **places,
            "state": {"path": str(watched.state.root), "used": used, "most": most},
            "ready": watched.health.is_ready,
            "checks": [_told(check) for check in watched.health.checks()],
            "functions": self._functions(),
            "memory": {"used": memory.used, "budget": memory.budget},
            "brokers": _brokers(watched.mqtt.connections()),
            "waiting": await self._waiting(),
        }
        return JSONResponse(told)

    def _functions(self) -> dict[str, Any]:
        catalog = self._parts.watched.catalog
        seen = [views.summarize(each, None) for each in catalog.functions.values()]
        states = Counter(each["state"] for each in seen)
        return {"total": len(seen), "instances": sum(each["instances"] for each in seen), "states": states}

    async def _waiting(self) -> dict[str, int]:
        store = self._parts.watched.store
        events, results = await store.waiting()
        return {
            "events": sum(events.values()),
            "results": sum(results.values()),
            "dead_letters": store.letter_count,
        }

    async def _size(self) -> tuple[int | None, int | None]:
        """Bytes of the state folder, and how many they may be; None while that is being measured."""
        measuring = self._measuring
        if measuring is None or (measuring.done() and self._loop.time() > self._measured + SIZE_HOLDS):
            measuring = self._measuring = asyncio.create_task(self._parts.room.use())
            self._measured = self._loop.time()
        done, _ = await asyncio.wait([measuring], timeout=SIZE_PATIENCE)
        return measuring.result() if done and measuring.exception() is None else (None, None)


def _told(check: Check) -> dict[str, Any]:
    return {**asdict(check), "remedy": remedy_of(check)}


def _brokers(connections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many connections there are to each, and how many of them stand."""
    all_of = Counter(each["broker"] for each in connections)
    standing = Counter(each["broker"] for each in connections if each["connected"])
    return [{"broker": name, "connected": standing[name], "connections": all_of[name]} for name in all_of]


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in a container, a user may have no name
        return str(os.geteuid())
