"""What the scaler asks of a pool."""

from typing import Protocol

from runtime.decisions import Decision, Measurement
from runtime.spec import PoolSpec


class ScaledPool(Protocol):
    """A pool as the scaler sees it."""

    @property
    def spec(self) -> PoolSpec:
        """What it runs."""

    def measure(self) -> Measurement:
        """Look at it; cheap, for it is called up to a hundred times a second."""

    def apply(self, decision: Decision) -> None:
        """Become what was decided, as far as no running event is cut; may be said again and again."""

    def pids(self) -> list[int]:
        """Its processes: the arbiter and its instances; none when it is cold."""
