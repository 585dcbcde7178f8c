"""The brokers of the whole project, for the tests in this folder."""

from tests.brokers import make_mosquitto, mosquitto

__all__ = ["make_mosquitto", "mosquitto"]
