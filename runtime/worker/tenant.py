"""Runs in a subinterpreter: one slot of one revision, from its package's import to its stream's end.

What lies on the process is left alone here: signals, limits and the parent-death signal are set once for all.
"""

import json
import mmap
import os
import re
import socket
import sys
from typing import NoReturn

from .context import Context
from .entries import Entry
from .failures import LoadError
from .loader import Function, load_function
from .paths import let_in
from .serving import Serving, report_failure
from .setup import Setup

UNSUPPORTED = re.compile(r"module (\S+) does not support loading in subinterpreters")


def serve_slot(text: str, channel_fd: int, word_fd: int, log_fd: int) -> None:
    """Load the package and serve the slot; raises SystemExit when that failed and the host was told.

    The descriptors are the caller's, who closes them when this subinterpreter is no more.
    """
    message = json.loads(text)
    given = Setup(message, log_fd)
    # In a virtual environment `site` goes by these two.
    sys.executable = message["python"]
    sys.prefix = sys.exec_prefix = os.path.dirname(os.path.dirname(sys.executable))
    let_in(message)
    given.capture_output()
    with socket.socket(fileno=os.dup(channel_fd)) as channel:
        word = memoryview(mmap.mmap(word_fd, mmap.PAGESIZE)).cast("Q")

        def fail(error: BaseException) -> NoReturn:
            report_failure(given, channel, error)
            raise SystemExit(1)

        try:
            Serving(given, channel, word, fail).run(_load(given))
        except BaseException as error:  # noqa: BLE001 - user code ran: its import and its hooks
            fail(error)


def _load(given: Setup) -> Function:
    context = Context(given.around, {"dl": given.start_deadline()})
    try:
        function = load_function(Entry(given.handler, given.is_batch), given.around, context)
    except ImportError as error:
        if told := _explain(error):
            raise told from error
        raise
    if given.concurrency > 1 and not function.is_async:
        raise LoadError(
            "`concurrency` of a plain function needs threads that a subinterpreter may not have; "
            "leave it out, or say `isolation: process` in function.yaml"
        )
    return function


def _explain(error: BaseException | None) -> LoadError | None:
    """Packages wrap the error that tells which module it was in others, or in words of their own (numpy)."""
    while error is not None:
        if isinstance(error, ImportError) and (found := UNSUPPORTED.search(str(error))):
            return LoadError(
                f"{found[1]} is an extension module that cannot be loaded in a subinterpreter; say "
                "`isolation: process` in function.yaml"
            )
        error = error.__cause__ or error.__context__
    return None
