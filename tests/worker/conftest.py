"""Fixtures for all that runs inside a box."""

from tests.worker.boxed import place

__all__ = ["place"]
