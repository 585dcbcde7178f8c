"""What outlives a rule that is built anew: the keys it has seen, and what was on disk of its session."""

import logging
import sqlite3
from collections.abc import Iterable

from triggers.mqtt.earlier import Earlier
from triggers.mqtt.repeats import Repeats
from triggers.store.changes import SaveSeen
from triggers.store.store import DeliveryStore

logger = logging.getLogger(__name__)


class Memory:
    """By the name of a rule's session."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store
        self._earlier: dict[str, Earlier] = {}
        self._seen: dict[str, list[tuple[str, float]]] = {}
        self._is_saved = False

    async def recall(self) -> None:
        """Read what an earlier life of the host has seen."""
        try:
            saved = await self._store.seen()
        except sqlite3.Error as error:
            logger.warning("what rules have seen cannot be read, so repeats of it are not known: %s", error)
            return
        self._is_saved = bool(saved)
        for session, key, moment in saved:
            self._seen.setdefault(session, []).append((key, moment))

    def earlier(self, session: str) -> Earlier:
        """The one that knows what of the session's rows still tells messages."""
        if session not in self._earlier:
            self._earlier[session] = Earlier(session, self._store)
        return self._earlier[session]

    def teach(self, session: str, repeats: Repeats | None) -> None:
        """Tell `repeats` what the one before it has seen."""
        if repeats is not None:
            for key, seen in self._seen.pop(session, ()):
                repeats.learn(key, seen)

    def keep(self, session: str, repeats: Repeats | None) -> None:
        """Take over what `repeats` has seen."""
        if repeats is not None:
            self._seen[session] = list(repeats.finished())

    def save(self, every: Iterable[tuple[str, Repeats | None]]) -> None:
        """Write down what these have seen, by session, in place of what was written before."""
        seen = tuple(
            (session, key, moment)
            for session, repeats in every
            if repeats is not None
            for key, moment in repeats.finished()
        )
        if seen or self._is_saved:
            self._store.submit(SaveSeen(seen), durable=False)
