"""Imports the package, finds its entry point and hooks, and looks whether it can be forked afterwards."""

import importlib
import os
import stat
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from .context import Context, Surroundings
from .entries import Entry, Handler, find_entry, import_entry
from .models import RAISED

Hook = Callable[[Context], Any]


class Function(NamedTuple):
    """The entry point of a package, ready to be called, and its hooks."""

    call: Handler
    is_async: bool
    start: Hook | None
    shutdown: Hook | None
    is_batch: bool = False


def load_function(entry: Entry, around: Surroundings, context: Context) -> Function:
    """Import the package, load the models it declares and run `init(context)`.

    Raises what the package raises, and LoadError when it has no such entry point, one of another kind, or a
    model that the installed libraries are too new for.
    """
    try:
        return _load(entry, around, context)
    except RAISED as error:
        from .old_models import explain_package

        if told := explain_package(error, around.package_dir):
            raise told from error
        raise


def _load(entry: Entry, around: Surroundings, context: Context) -> Function:
    module = import_entry(entry, around.python_path)
    found = find_entry(entry, module)
    if found.is_async:
        # Now, so that instances are forked with it; a plain function does without.
        importlib.import_module(".async_loop", __package__)
    around.models.load_declared()
    run_hook(_hook(module, "init"), context)
    start, shutdown = _hook(module, "start"), _hook(module, "shutdown")
    return Function(found.call, found.is_async, start, shutdown, found.is_batch)


def _hook(module: ModuleType, name: str) -> Hook | None:
    hook = getattr(module, name, None)
    return hook if callable(hook) else None


def run_hook(hook: Hook | None, context: Context) -> None:
    """Call a hook where no event loop runs; a coroutine gets one of its own."""
    outcome = hook(context) if hook else None
    if outcome is not None:
        _finish(outcome)


def _finish(outcome: Any) -> None:
    import inspect

    if inspect.isawaitable(outcome):
        import asyncio

        asyncio.run(_await(outcome))


async def _await(outcome: Any) -> Any:
    return await outcome


class Footprint(NamedTuple):
    """What of a process does not survive a fork: its other threads, and sockets that would be shared."""

    threads: int
    sockets: frozenset[int]

    @classmethod
    def take(cls) -> "Footprint":
        """As it is now."""
        return cls(len(os.listdir("/proc/self/task")), frozenset(filter(_is_socket, _open_fds())))

    def unsafe_since(self) -> str | None:
        """Why forking is not safe now, or None."""
        now = Footprint.take()
        if now.threads > self.threads:
            return f"loading it started {_count(now.threads - self.threads, 'thread')}"
        if opened := now.sockets - self.sockets:
            return f"loading it opened {_count(len(opened), 'socket')}"
        return None


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number > 1 else "")


def _open_fds() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        # The descriptor that listed the folder is closed by now.
        return False


def reseed_numpy() -> None:
    """Give a forked instance random numbers of its own (gunicorn reseeds `random` itself)."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
