"""Makes subinterpreters, runs one each, and destroys them: what differs between Pythons stands here.

Python 3.13 has them only in the private module that 3.14's `concurrent.interpreters` (PEP 734) is built on,
which both have by the same name. Each gets the configuration "isolated": a GIL and memory of its own, no
fork, no daemon threads, and no extension module that does not say that it supports that.
"""

import importlib
import threading
from collections.abc import Mapping
from typing import Any

_lifecycle = threading.Lock()


def run_isolated(script: str, given: Mapping[str, str | int]) -> str | None:
    """Run a script in a subinterpreter of its own, with these values as its globals.

    Returns None, or what the script raised, as `Type: text`. To be called in a thread of its own.
    """
    calls: Any = importlib.import_module("_interpreters")
    # One at a time: 3.13.0 was not seen to mind several at once, but nobody promises it.
    with _lifecycle:
        number = calls.create("isolated")
    try:
        raised = calls.exec(number, script, dict(given))
    finally:
        with _lifecycle:
            calls.destroy(number)
    return None if raised is None else raised.formatted
