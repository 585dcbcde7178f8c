"""One function as the host knows it: its revisions, and the pools that somebody needed so far."""

from dataclasses import dataclass, field

from functions.registry import Revision
from runtime.pool import Pool
from runtime.worker.box_plan import Report

LIVE = "live"


@dataclass(slots=True)
class Deployed:
    """One function: its revisions by number, the live one, the pools made so far, and the run-time scale."""

    name: str
    revisions: dict[int, Revision] = field(default_factory=dict)
    live: int | None = None
    pools: dict[int, Pool] = field(default_factory=dict)
    instances: int | None = None

    @property
    def live_pool(self) -> Pool | None:
        """The pool of the live revision, once somebody needed it."""
        return self.pools.get(self.live) if self.live is not None else None

    @property
    def walls(self) -> Report:
        """Those of the box that the live revision runs in or ran in last, empty where they are not known."""
        return self.live_pool.walls if self.live_pool else {}

    def number(self, reference: str) -> int | None:
        """The ready revision that `reference` means, a number or `live`; None when there is no such."""
        if reference == LIVE:
            return self.live
        ready = (each.number for each in self.revisions.values() if each.state == "ready")
        return next((number for number in ready if reference == str(number)), None)

    def old(self, keep: int) -> list[int]:
        """The revisions but the live one, the last `keep` ready ones and the last `keep` failed ones."""
        old: list[int] = []
        for state in ("ready", "failed"):
            old += sorted(each.number for each in self.revisions.values() if each.state == state)[:-keep]
        return sorted(number for number in old if number != self.live)
