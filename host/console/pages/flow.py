"""The flow of events as a picture, with what is stuck above it."""

from starlette.requests import Request

from host.console.flow.letters import RecentLetters
from host.console.flow.sight import Looker
from host.console.flow.source import FlowSource
from host.console.ground import Ground
from host.console.page import Page, Piece, Shown


def make(ground: Ground) -> Piece:
    """The page, and the channel that keeps it live."""
    observing, store = ground.observing, ground.watched.store
    letters = RecentLetters(observing.history, observing.axis, lambda: store.letter_count)
    source = FlowSource(Looker(ground, letters.count))

    async def load(request: Request) -> Shown:
        return {"flow": source.look()}

    return Piece((Page("flow", load),), (source,))
