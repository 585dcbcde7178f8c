"""Fixtures that tests of every layer may ask for."""

from tests.brokers import make_mosquitto, mosquitto
from tests.hosts import shared_host, start_host

__all__ = ["make_mosquitto", "mosquitto", "shared_host", "start_host"]
