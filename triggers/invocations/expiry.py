"""Forgets the results of asynchronous invocations when their time is over."""

import logging
import sqlite3
import time
from collections.abc import Callable

from runtime.steadily import steadily
from triggers.store.changes import DropInvocations
from triggers.store.store import DeliveryStore

logger = logging.getLogger(__name__)

INTERVAL = 60.0
AT_ONCE = 20
"""They are read as a whole before they are dropped."""


def steady_clock() -> Callable[[], float]:
    """Seconds since the epoch, as the clock was when the host started: one that is set drops nothing."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset


async def forget_expired(store: DeliveryStore, clock: Callable[[], float]) -> None:
    """Drop what is over, each INTERVAL seconds; runs until cancelled."""

    async def forget() -> None:
        try:
            while ids := await store.expired_invocations(clock(), AT_ONCE):
                await store.submit(DropInvocations(tuple(ids)), durable=False)
        except sqlite3.Error as error:
            logger.warning("results whose time is over cannot be looked up: %s", error)

    await steadily("results whose time is over", forget, INTERVAL)
