"""What a lane is to do, what it works with, and who hears of the end of each of its events."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from runtime.events import Answer, Dispatch
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Work
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

if TYPE_CHECKING:
    from triggers.delivery.lane import Lane

Reason = Literal["full", "expired", "superseded"]


class Owner(Protocol):
    """Who hears of the end of each work, exactly once, and then says `finish` to the lane."""

    def answered(self, lane: "Lane", work: Work, answer: Answer) -> None:
        """The function answered."""

    def failed(self, lane: "Lane", work: Work, error: BaseException) -> None:
        """The event got no answer and will not get one."""

    def dropped(self, lane: "Lane", work: Work, reason: Reason) -> None:
        """The event was not dispatched and will not be: it gave way, as it may, or as the rule asks."""


@dataclass(frozen=True)
class LanePlan:
    """What a lane is to do; `name` is that of its rows in the inbox, `max_age` in seconds."""

    name: str
    function: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    ordered: bool = False
    latest: bool = False
    max_age: float | None = None


@dataclass(slots=True)
class Passed:
    """What has passed a lane so far, in events and in results.

    `sent` are attempts, `failed` events that became dead letters. `published` are results on their way to a
    broker, `elsewhere` those of them to other topics than the rule's own, `confirmed` those that a broker
    has.
    """

    sent: int = 0
    failed: int = 0
    published: int = 0
    elsewhere: int = 0
    confirmed: int = 0


@dataclass(frozen=True)
class LaneView:
    """A lane at one moment: events without an answer, those of them that are on disk only (both roughly).

    `oldest` is for how many seconds the first of those in memory has been waiting; `passed` goes on counting.
    """

    function: str
    events: int
    stored: int
    oldest: float
    passed: Passed


@dataclass(frozen=True)
class LaneParts:
    """What a lane works with."""

    dispatch: Dispatch
    owner: Owner
    store: DeliveryStore
    failpoints: Failpoints
