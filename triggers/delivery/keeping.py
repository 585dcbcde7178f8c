"""What whoever keeps events is handed: where to, and the crash points to pass on the way."""

from dataclasses import dataclass, field

from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore


@dataclass(frozen=True)
class Keeping:
    """The open store of the host."""

    store: DeliveryStore
    failpoints: Failpoints = field(default_factory=Failpoints)
