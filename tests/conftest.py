"""Fixtures that tests of every layer may ask for."""

from tests.hosts import shared_host, start_host

__all__ = ["shared_host", "start_host"]
