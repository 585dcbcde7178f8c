"""Asks sources while somebody looks, and hands what they say to all who do."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from host.console.live.source import Source
from host.lifecycle import Part
from runtime.steadily import Attempts, steadily

TICK = 0.25
"""Seconds."""
TICKS_PER_SECOND = 4
MOST_LOOKING = 64
"""Pages that are told at a time: each holds a connection."""
MOST_EACH = 16
"""Of them by one who looks, so that nobody takes all."""
MOST_CHANNELS = 16
"""Of one page."""
MOST_UNREAD = 256
"""Messages for a page whose browser does not read; then its connection ends, and it begins anew."""


class TooManyLookingError(Exception):
    """So many pages are open that no other can be kept live."""


class UnknownChannelError(Exception):
    """No source tells this."""


@dataclass(eq=False)
class Looker:
    """One page that is open, of `who` looks; None in its queue ends it."""

    channels: tuple[str, ...]
    who: str = ""
    unread: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MOST_UNREAD))

    def tell(self, message: bytes) -> None:
        """Say it, unless the page has stopped to listen."""
        if self.unread.full():
            self.end()
        else:
            self.unread.put_nowait(message)

    def end(self) -> None:
        """Say no more."""
        while not self.unread.empty():
            self.unread.get_nowait()
        self.unread.put_nowait(None)


class Feed(Part):
    """Stops before the port does, since nobody who looks would go by themselves."""

    name = "console"
    priority = 950

    def __init__(self, sources: Iterable[Source], clock: Callable[[], float] = time.time) -> None:
        self._sources = {each.name: each for each in sources}
        self._attempts = {name: Attempts(f"the live feed of {name}") for name in self._sources}
        self._clock = clock
        self._boot = secrets.token_hex(8)
        self._lookers: dict[str, set[Looker]] = {}
        self._all: set[Looker] = set()
        self._asking: asyncio.Task[None] | None = None
        self._ticks = 0
        self._stopped = False

    async def stop(self) -> None:
        """End what is open."""
        self._stopped = True
        for looker in list(self._all):
            looker.end()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def find(self, channel: str) -> tuple[Source, str]:
        """The source of a channel, and the item it is asked for; raises UnknownChannelError."""
        name, _, item = channel.partition(":")
        if name not in self._sources:
            raise UnknownChannelError(f"there is no channel {name[:40]!r}")
        return self._sources[name], item

    def enter(self, channels: Iterable[str], who: str) -> Looker:
        """Begin to look; raises UnknownChannelError or TooManyLookingError, and `leave` undoes it."""
        looker = Looker(tuple(dict.fromkeys(channels)), who)
        if len(self._all) >= MOST_LOOKING or self._stopped:
            raise TooManyLookingError(f"{MOST_LOOKING} pages are open, which is the most that are kept live")
        if sum(each.who == who for each in self._all) >= MOST_EACH:
            raise TooManyLookingError(f"{MOST_EACH} pages of yours are open, the most for one caller")
        self._all.add(looker)
        try:
            looker.tell(_message("hello", {"boot": self._boot, "now": self._clock()}))
            for channel in looker.channels:
                self._join(channel, looker)
        except BaseException:
            self.leave(looker)
            raise
        if self._asking is None:
            self._asking = asyncio.create_task(steadily("the live feed", self._ask, TICK))
        return looker

    def _join(self, channel: str, looker: Looker) -> None:
        source, item = self.find(channel)
        if channel not in self._lookers:
            try:
                if channel != source.name and not (item and source.items):
                    raise KeyError(item)
                source.opened(item)
            except KeyError:
                # A function that was removed must not keep a page from all else that it shows.
                looker.tell(_message("gone", {"channel": channel}))
                return
            self._lookers[channel] = set()
        self._lookers[channel].add(looker)
        told = source.begin(item)
        if told is not None:
            looker.tell(_message(channel, told))

    def leave(self, looker: Looker) -> None:
        """Look no more."""
        self._all.discard(looker)
        for channel in looker.channels:
            lookers = self._lookers.get(channel, set())
            lookers.discard(looker)
            if channel in self._lookers and not lookers:
                del self._lookers[channel]
                source, item = self.find(channel)
                source.closed(item)
        if not self._all and self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def listen(self, looker: Looker) -> AsyncIterator[bytes]:
        """What it is told, until the host ends."""
        while (message := await looker.unread.get()) is not None:
            yield message

    async def _ask(self) -> None:
        for channel in list(self._lookers):
            source, item = self.find(channel)
            if not self._ticks % source.every:
                await self._attempts[source.name].make(partial(self._tell, channel, source, item))
                await asyncio.sleep(0)  # events go on between two channels
        if not self._ticks % TICKS_PER_SECOND:
            # So that a page knows at once when it hears nothing any more.
            self._say(self._all, _message("tick", {"now": self._clock()}))
        self._ticks += 1

    async def _tell(self, channel: str, source: Source, item: str) -> None:
        told = source.tell(item)
        if told is not None:
            self._say(self._lookers.get(channel, ()), _message(channel, told))

    def _say(self, lookers: Iterable[Looker], message: bytes) -> None:
        for looker in list(lookers):
            looker.tell(message)


def _message(channel: str, told: Any) -> bytes:
    """One event of the stream (HTML standard, 9.2.6); JSON has no line breaks of its own."""
    return f"event: {channel}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n".encode("utf-8", "replace")
