"""Clocks that tests set, and timers that go by them."""

from typing import Any

from triggers.delivery.retry import RetryPolicy
from triggers.timers.moments import Clock
from triggers.timers.plan import TimerPlan

NOON = 1_717_243_200.0
"""2024-06-01T12:00:00Z."""


class FakeClock:
    """Stands still at noon, until a test moves it."""

    def __init__(self, wall: float = NOON) -> None:
        self.wall = wall
        self.steady = 1000.0

    @property
    def clock(self) -> Clock:
        """As timers take it."""
        return Clock(lambda: self.wall, lambda: self.steady)

    def run(self, seconds: float) -> None:
        """Let time pass, also while the machine sleeps."""
        self.wall += seconds
        self.steady += seconds

    def set(self, seconds: float) -> None:
        """Have somebody set the wall clock, so many seconds forward or (negative) back."""
        self.wall += seconds


def timer_plan(name: str = "t", **more: Any) -> TimerPlan:
    """A timer of the function `echo`, which is tried once; each minute by cron unless `every` is said."""
    functions: tuple[str, ...] = more.get("functions", ("echo",))
    told: dict[str, Any] = {
        "functions": functions,
        "every": None,
        "cron": None if "every" in more else "* * * * *",
        "timezone": "UTC",
        "payload": None,
        "content_type": None,
        "target": None,
        "timeout": 10.0,
        "retries": (RetryPolicy(attempts=1),) * len(functions),
        "catch_up": False,
    }
    return TimerPlan(name, **{**told, **more})
