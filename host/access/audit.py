"""The audit log: who changed what, from where and how it ended; append-only, each line seals those before.

One JSON object per line in `audit.log` of the state folder, the oldest parts in `audit.1.log` and so on.
Refusals and sign-ins, which callers bring about at will, stand in `refused.log` and push out only each other.
`hash` is the SHA-256 of the line without it, and `prev` the hash of the line before: no line can be changed,
left out or put in between without a break that `read_chain` finds. Whoever may write the file can seal all
of it anew, or leave out its end: against that, note the newest hash elsewhere.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host.access.sealed_log import MOST_BYTES, Place, Record, SealedLog, newest_of

logger = logging.getLogger(__name__)

DEEDS, REFUSALS = "audit", "refused"
LONGEST_TEXT = 300
BAD_PER_MINUTE = 30
"""Refusals that are told of each token, and of all anonymous callers together."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `token:ID`, `local`, `anonymous` or `host`; and from which address."""

    name: str
    peer: str = ""


HOST = Actor("host")
"""What the host does by its config, or because of a signal."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to what, and how that ended; what is not known is empty and left out."""

    action: str
    target: str = ""
    outcome: str = "ok"
    revision: str = ""
    digest: str = ""
    isolation: str = ""
    reason: str = ""


class AuditLog:
    """Both files. A line survives the death of the host, and a power failure after some seconds."""

    def __init__(self, folder: Path, clock: Callable[[], float], most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._clock = clock
        self._deeds = SealedLog(Place(folder, DEEDS), clock, most_bytes)
        self._refusals = SealedLog(Place(folder, REFUSALS), clock, most_bytes)
        self._minute = 0.0
        self._bad: Counter[str] = Counter()

    def open(self) -> None:
        """Go on where the files end; a line that is cut or damaged is told. Raises OSError."""
        for log in (self._deeds, self._refusals):
            for damage in log.open():
                logger.warning("%s was damaged: %s", log.place.file, damage)
                log.append(_told(HOST, Deed("audit.repair", damage)))

    def close(self) -> None:
        """Tell how many refusals were left out, and write no more."""
        self._sum_up()
        self._deeds.close()
        self._refusals.close()

    def record(self, actor: Actor, deed: Deed) -> None:
        """Append a line; a disk that does not take it is logged, and the host goes on."""
        told = _told(actor, deed)
        self._deeds.append(told)
        level = logging.INFO if deed.outcome == "ok" else logging.WARNING
        reason = f"({deed.reason})" if deed.reason else ""
        words = (deed.action, deed.target, f"by {actor.name}: {deed.outcome}", reason)
        logger.log(level, "%s", " ".join(filter(None, words)), extra={"event": deed.action, **told})

    def record_at_will(self, actor: Actor, deed: Deed) -> None:
        """As `record`, for refusals, sign-ins and tries: some each minute, then only how many more."""
        minute = self._clock() // 60
        if minute != self._minute:
            self._sum_up()
            self._minute = minute
        self._bad[actor.name] += 1
        if self._bad[actor.name] <= BAD_PER_MINUTE:
            self._refusals.append(_told(actor, deed))

    def _sum_up(self) -> None:
        for name, count in self._bad.items():
            if count > BAD_PER_MINUTE:
                more = f"{count - BAD_PER_MINUTE} more within a minute"
                self._refusals.append(_told(Actor(name), Deed("access", more, "left out")))
        self._bad.clear()


def _told(actor: Actor, deed: Deed) -> dict[str, str]:
    told = {"actor": actor.name, "peer": actor.peer, "action": deed.action, "target": deed.target}
    told |= {"outcome": deed.outcome, "reason": deed.reason, "revision": deed.revision}
    told |= {"digest": deed.digest, "isolation": deed.isolation}
    return {name: value[:LONGEST_TEXT] for name, value in told.items() if value}


def newest_records(folder: Path, most: int) -> list[Record]:
    """The newest `most` records by time, the oldest first, refusals at most half if there are more deeds.

    What is no record is left out. Raises OSError.
    """
    deeds, refusals = (newest_of(Place(folder, stem), most) for stem in (DEEDS, REFUSALS))
    shown = refusals[max(0, len(refusals) - max(most // 2, most - len(deeds))) :]
    deeds = deeds[max(0, len(deeds) - (most - len(shown))) :]
    return sorted([*deeds, *shown], key=lambda record: float(record["ts"]))
