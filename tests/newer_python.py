"""Finds the Python that subinterpreters need; where there is none, their tests say that they were skipped."""

import asyncio
import os
from pathlib import Path

import pytest

from functions.errors import BuildError
from functions.interpreters import find_python

VERSION = "3.13"


def find_newer() -> Path:
    """An interpreter of that version; skips the test where none is installed."""
    try:
        return asyncio.run(find_python(VERSION, os.environ))
    except BuildError as error:
        pytest.skip(f"subinterpreters need it: {error}")
