"""Named crash points: a process that is told to dies at one of them, as a power cut would have it."""

import os
import signal
from collections.abc import Mapping

VARIABLE = "FNHOST_FAILPOINT"

POINTS = {
    "event.received": "an event has come and nothing was done with it",
    "event.dispatched": "its function has it",
    "event.answered": "the answer is here, and nothing was done with it",
    "event.failed": "the event has failed, and nothing was done with it",
    "result.sent": "a result was given to the socket, and the broker has not confirmed it",
    "result.confirmed": "the broker has confirmed a result, and nothing was noted",
    "ack.before": "all of an event is settled, and it is not acknowledged",
    "ack.after": "the acknowledgement was given to the socket",
    "store.before-commit": "rows are written, and the transaction is open",
    "store.committed": "the transaction is on disk, and nobody was told",
    "store.opening": "the database is open at the start, and not examined",
    "store.migrating": "a new scheme of the database is written, and not committed",
    "store.recovered": "the rows of an earlier life are read, and none was worked",
    "store.checkpoint": "the log was written back into the database",
    "inbox.marked": "a row says that its event may be acknowledged, and it is not",
    "letter.committed": "a dead letter is on disk, and its event is not acknowledged",
    "retry.waiting": "an event waits for its next attempt",
    "async.accepted": "an asynchronous event is on disk, and its caller was not told",
    "async.answered": "its answer is on disk, and its callback was not called",
    "timer.due": "a timer's moment has come, and its event is not on disk",
    "deploy.switched": "events go to a new revision, and the old one still runs",
}
"""Each point with what is true there; `docs/delivery.md` says what may follow."""


class Failpoints:
    """Kills this process (SIGKILL) at the `count`-th passing of the point `name`; without a name, never."""

    def __init__(self, name: str = "", count: int = 1) -> None:
        self._name = name
        self._left = count

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Failpoints":
        """What `FNHOST_FAILPOINT=name:count` asks for; raises ValueError when there is no such point."""
        name, _, count = env.get(VARIABLE, "").partition(":")
        if name and name not in POINTS:
            raise ValueError(f"{VARIABLE}: there is no point {name}; there are {', '.join(POINTS)}")
        if count and not (count.isdecimal() and int(count)):
            raise ValueError(f"{VARIABLE}: {count} is no count; write {name}:1 for the first passing")
        return cls(name, int(count or 1))

    def reach(self, name: str) -> None:
        """Pass the point `name`."""
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
