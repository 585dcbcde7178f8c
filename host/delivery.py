"""Gives the delivery store its place in the host: its limits, its lifecycle, its health."""

from collections.abc import Mapping
from typing import Any

from conf.limits import Limits
from host.health import Check
from host.lifecycle import Part, PartError
from triggers.delivery.letters import Wake
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore, StoreLimits


class DeliveryPart(Part):
    """The store: it opens before whoever writes to it is set up, and closes after they have stopped.

    `quota` is what it may hold, in bytes.
    """

    name = "delivery"
    priority = 150
    # A large database that a crash has damaged is read row by row.
    start_limit = 600.0

    def __init__(self, store: DeliveryStore, quota: int) -> None:
        self._store = store
        self.quota = quota

    async def setup(self) -> None:
        """Open it; a damaged file is mended."""
        await self._store.open()

    async def stop(self) -> None:
        """Write what was submitted, and close it."""
        await self._store.close()

    def checks(self) -> list[Check]:
        """A host that cannot promise to keep an event takes none."""
        return [Check("delivery", self._store.takes_in, self._store.why_not)]

    async def view(self) -> dict[str, Any]:
        """What waits on disk and what was lost, as the API shows it; sizes are in bytes."""
        store = self._store
        events, results = await store.waiting()
        names = ("takes_in", "why_not", "used", "commits", "damaged")
        lost = ("dropped_letters", "dropped_results", "dropped_invocations")
        told = {name: getattr(store, name) for name in (*names, *lost)}
        waiting = {"events": events, "results": results, "dead_letters": store.letter_count}
        return {**told, "quota": self.quota, **waiting}


class Workers:
    """All who work rows on disk, asked as one."""

    def __init__(self) -> None:
        self._wakes: list[Wake] = []

    def add(self, wake: Wake) -> None:
        """Ask this one, too."""
        self._wakes.append(wake)

    def wake(self, name: str) -> bool:
        """Say that a lane or target has new rows; False when nobody works it."""
        return any(wake(name) for wake in self._wakes)


def make_limits(limits: Limits) -> StoreLimits:
    """The store's own view of the config."""
    return StoreLimits(
        quota=limits.delivery,
        min_free=StoreLimits.min_free if limits.min_free is None else limits.min_free,
        letters=limits.dead_letters,
        letter_age=limits.dead_letter_age,
        result_age=limits.outbox_age,
    )


def make_failpoints(env: Mapping[str, str]) -> Failpoints:
    """The crash point that the environment names; raises PartError when there is no such point."""
    try:
        return Failpoints.of(env)
    except ValueError as error:
        raise PartError(str(error)) from None
