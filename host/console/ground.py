"""What the pages of the console stand on: the parts that they show and command."""

from collections.abc import Callable
from dataclasses import dataclass

from host.deployment.room import Room
from host.logs.store import LogStore
from host.observing.compose import Observing, Watched
from host.reload import Reloader
from host.web.veil import Veil
from runtime.usage import Usage
from triggers.delivery.letters import DeadLetters


@dataclass(frozen=True)
class Ground:
    """Made by the composition root; `urls` gives the addresses that are really bound.

    `why` says what keeps the package that the config names for a function from service.
    """

    watched: Watched
    observing: Observing
    reloader: Reloader
    logs: LogStore
    room: Room
    usage: Usage
    urls: Callable[[], list[str]]
    why: Callable[[str], str | None]
    letters: DeadLetters
    veil: Veil
