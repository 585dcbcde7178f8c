"""What an earlier life of the host has put on disk of messages that their broker may still deliver again."""

from collections.abc import Mapping

from triggers.store.changes import ForgetSources
from triggers.store.rows import digest_of
from triggers.store.store import DeliveryStore

Rows = Mapping[str, tuple[int, ...]]


class Earlier:
    """The rows of one session. They tell a message only as long as its acknowledgement is outstanding.

    Brokers deliver all unacknowledged messages of a session first (MQTT 5 §4.4): with the first new one, or
    when the session is lost, what was not asked for by then will never come, and its packet ids mean
    others.
    """

    def __init__(self, session: str, store: DeliveryStore) -> None:
        self._store = store
        self._rows: dict[tuple[int, bytes], Rows] = dict(store.known(session))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def take(self, mid: int, topic: str, payload: bytes) -> Rows:
        """What stands on disk of this message, which came again: rows by function."""
        return self._rows.pop((mid, digest_of(topic, payload)), {})

    def forget(self) -> None:
        """None of them comes again."""
        rows = [row for by_function in self._rows.values() for rows in by_function.values() for row in rows]
        self._rows.clear()
        if rows:
            self._store.submit(ForgetSources(tuple(rows)))
