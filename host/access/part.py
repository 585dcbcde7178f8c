"""Gives access its place in the host: the audit log is open before anything happens, the local token is there
once the ports are, and tokens end when they expire."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from host.access.audit import AuditLog
from host.access.guard import Guard
from host.access.local_token import LocalToken
from host.access.tokens import Tokens
from host.lifecycle import Part
from runtime.steadily import steadily

logger = logging.getLogger(__name__)

LONGEST_SLEEP = 60.0
"""Seconds until tokens are looked at anew, in case somebody has set the machine's clock."""
SHORTEST_SLEEP = 0.1
FLUSH_PERIOD = 600.0


class AuditPart(Part):
    """Opens first and closes last."""

    name = "audit log"
    priority = 50

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    async def setup(self) -> None:
        """Go on where it ends."""
        self._audit.open()

    async def stop(self) -> None:
        """Write no more."""
        self._audit.close()


class AccessPart(Part):
    """Starts before the web part, and stops after it; `addresses` gives what that listens on."""

    name = "access"
    priority = 890

    def __init__(
        self, tokens: Tokens, guard: Guard, local: LocalToken, addresses: Callable[[], list[tuple[str, int]]]
    ) -> None:
        self._tokens = tokens
        self._guard = guard
        self._local = local
        self._addresses = addresses
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    def renew(self) -> None:
        """A token was made or revoked: whatever was decided by tokens is decided anew."""
        self._guard.forget()
        self._changed.set()

    async def start(self) -> None:
        """Write the local token, and see to it that tokens end."""
        self._local.write(self._addresses())
        self._tasks = [
            asyncio.create_task(steadily("the end of tokens", self._end_tokens, SHORTEST_SLEEP)),
            asyncio.create_task(steadily("the last use of tokens", self._flush, FLUSH_PERIOD)),
        ]

    async def stop(self) -> None:
        """Take the local token away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._local.remove()
        await asyncio.to_thread(self._write_uses)

    async def _end_tokens(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds_to_next(self._tokens))
        self._changed.clear()
        self._guard.forget()

    async def _flush(self) -> None:
        await asyncio.to_thread(self._write_uses)

    def _write_uses(self) -> None:
        try:
            self._tokens.flush()
        except OSError as error:
            logger.warning("when tokens were last used cannot be written down: %s", error.strerror)


def seconds_to_next(tokens: Tokens) -> float:
    """How long until a token expires, and a minute at most."""
    expiry = tokens.next_expiry()
    return LONGEST_SLEEP if expiry is None else min(LONGEST_SLEEP, max(0.0, expiry - tokens.clock()))
