"""Events that people keep to be sent again: by function, in one small file, shared by all who may."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

FILE = "saved-events.json"
MOST_EACH, MOST = 50, 1000
"""Events of one function, and of all."""
LARGEST, MOST_BYTES = 64 * 1024, 4 * 1024 * 1024
"""Bytes of one body, and of all that is kept."""


class SavedEventError(Exception):
    """The event cannot be kept."""


@dataclass(frozen=True)
class SavedEvent:
    """One event under the name that people gave it.

    `body` is text, or base64 where `encoding` says so; `headers` are lines such as `x-line: 7`; `at` is in
    seconds since the epoch, `by` who kept it.
    """

    name: str
    body: str
    encoding: str = "text"
    content_type: str = ""
    headers: tuple[str, ...] = ()
    by: str = ""
    at: float = 0.0

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        texts = (self.name, self.body, self.content_type, *self.headers)
        return 200 + sum(len(text.encode("utf-8", "replace")) for text in texts)


Events = dict[str, dict[str, SavedEvent]]


class SavedEvents:
    """Reads its file when somebody asks for the first time; each change is written before it is told."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._turn = asyncio.Lock()
        self._events: Events | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    async def of(self, function: str) -> list[SavedEvent]:
        """Those of a function, by name."""
        async with self._turn:
            events = await self._read()
        return [event for _, event in sorted(events.get(function, {}).items())]

    async def save(self, function: str, event: SavedEvent) -> None:
        """Keep one, in place of another of its name; raises SavedEventError and OSError."""
        if event.size > LARGEST:
            raise SavedEventError(f"an event that is kept has {LARGEST} bytes at most")
        async with self._turn:
            events = await self._read()
            changed = {**events, function: {**events.get(function, {}), event.name: event}}
            _check(changed, function)
            await self._write(changed)

    async def drop(self, function: str, name: str) -> bool:
        """Throw one away; whether there was one. Raises OSError."""
        async with self._turn:
            events = await self._read()
            if name not in events.get(function, {}):
                return False
            left = {key: event for key, event in events[function].items() if key != name}
            await self._write({**events, function: left})
            return True

    async def forget(self, function: str) -> None:
        """Throw all of a function away that is no more: the next of its name may be somebody else's."""
        async with self._turn:
            events = await self._read()
            if function not in events:
                return
            self._events = {name: each for name, each in events.items() if name != function}
            try:
                await self._write(self._events)
            except OSError as error:
                logger.warning("saved events of %s stay in %s for now: %s", function, self._file, error)

    async def _read(self) -> Events:
        if self._events is None:
            self._events = await asyncio.to_thread(_load, self._file)
        return self._events

    async def _write(self, events: Events) -> None:
        kept = {function: each for function, each in events.items() if each}
        await asyncio.to_thread(_replace, self._file, kept)
        self._events = kept


def _check(events: Events, function: str) -> None:
    if len(events[function]) > MOST_EACH:
        raise SavedEventError(f"{function} has {MOST_EACH} saved events, as many as may be; delete one first")
    sizes = [event.size for each in events.values() for event in each.values()]
    if len(sizes) > MOST or sum(sizes) > MOST_BYTES:
        raise SavedEventError("there is no room for more saved events; delete some, of any function")


def _load(file: Path) -> Events:
    try:
        told = json.loads(file.read_bytes())
        return {function: {each["name"]: _event(each) for each in rows} for function, rows in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("saved events are kept anew, since %s cannot be read: %s", file, error)
        return {}


def _event(told: dict[str, Any]) -> SavedEvent:
    return SavedEvent(**{**told, "headers": tuple(told["headers"])})


def _replace(file: Path, events: Events) -> None:
    told = {function: [asdict(event) for event in each.values()] for function, each in events.items()}
    new = file.with_suffix(".new")
    # Events may say what is nobody else's business.
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        json.dump(told, opened)  # as ASCII: JSON can say half of a surrogate pair, and UTF-8 cannot
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
