"""Real brokers, and sources that do as they are told."""

from collections.abc import Iterator

import pytest

from tests.bridge.source import Source
from tests.brokers import make_mosquitto, mosquitto

__all__ = ["make_mosquitto", "mosquitto"]


@pytest.fixture
def source() -> Iterator[Source]:
    """A source that is there."""
    made = Source()
    made.start()
    yield made
    made.stop()
