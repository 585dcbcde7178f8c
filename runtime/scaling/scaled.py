"""A pool, the loop and the measured memory, as the scaler sees them."""

from collections.abc import Callable
from typing import Any, Protocol

from runtime.scaling.decisions import Decision, Measurement
from runtime.scaling.memory import Figure, Sampled
from runtime.spec import PoolSpec


class ScaledPool(Sampled, Protocol):
    """A pool as the scaler sees it."""

    @property
    def spec(self) -> PoolSpec:
        """What it runs."""

    def measure(self) -> Measurement:
        """Look at it; cheap, for it is called up to a hundred times a second. `now` is the loop's time."""

    def apply(self, decision: Decision) -> None:
        """Become what was decided, as far as no running event is cut; may be said again and again."""


class Cancellable(Protocol):
    """What was planned and may be called off."""

    def cancel(self) -> None:
        """Not any more."""


class Clock(Protocol):
    """The part of an event loop that the scaler uses."""

    def time(self) -> float:
        """Monotonic seconds."""

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Cancellable:
        """At the end of this turn."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Cancellable:
        """After so many seconds."""


class Figures(Protocol):
    """Where measured memory comes from: `runtime.scaling.memory.Sampler`."""

    @property
    def low(self) -> bool:
        """Whether the machine has hardly any memory left."""

    def figure(self, pool: Sampled) -> Figure | None:
        """What was read last."""

    def want(self, pool: Sampled) -> None:
        """Read this pool soon."""

    def forget(self, pool: Sampled) -> None:
        """The pool has no process any more."""
