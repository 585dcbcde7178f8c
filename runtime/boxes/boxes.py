"""Gives each pool its box: what the host does of it, and what the arbiter is told to do by itself."""

from collections.abc import Mapping

from runtime.spec import PoolSpec
from runtime.worker.box_plan import BoxPlan

Report = Mapping[str, str | None]
"""What an arbiter said of its walls: None for one that stands, else why it does not."""


class Boxes:
    """The boxes of one host's pools."""

    def plan(self, spec: PoolSpec) -> BoxPlan:
        """What the arbiter of a pool is to confine itself with."""
        return BoxPlan(memory=spec.memory)

    def enter(self, spec: PoolSpec, pid: int) -> None:
        """Put an arbiter that has just started, and waits for its plan, into what the host holds for it."""

    def leave(self, spec: PoolSpec) -> None:
        """Clean up after an arbiter that has ended, with all that it started."""
