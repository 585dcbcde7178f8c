"""The page `mqtt`."""

from host.console.ground import Ground
from host.console.page import Page, Piece


def make(ground: Ground) -> Piece:
    """The page, and what keeps it live."""
    return Piece((Page("mqtt"),))
