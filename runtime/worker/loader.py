"""Imports the package, finds its entry point and hooks, and looks whether it can be forked afterwards."""

import importlib
import inspect
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .arity import adapt
from .context import Context, Surroundings
from .failures import LoadError
from .models import RAISED

DEFAULT_HANDLERS = ("index:index", "index:handler")

Handler = Callable[[Any, Context], Any]
Hook = Callable[[Context], Any]


@dataclass(frozen=True)
class Function:
    """The entry point of a package, ready to be called, and its hooks."""

    call: Handler
    is_async: bool
    start: Hook | None
    shutdown: Hook | None


@dataclass(frozen=True)
class Entry:
    """What the manifest says of the entry point; `handler` is `module:name`, or None for the defaults."""

    handler: str | None
    concurrency: int = 1

    @property
    def module(self) -> str:
        """The module's name."""
        return (self.handler or DEFAULT_HANDLERS[0]).partition(":")[0]

    @property
    def names(self) -> list[str]:
        """The names to look for in it, in this order."""
        return [each.partition(":")[2] for each in ([self.handler] if self.handler else DEFAULT_HANDLERS)]


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
    module = _import_entry(entry.module, around.python_path)
    call = _find_entry(module, entry.names)
    place = _place_in(module, call)
    _check_kind(call, entry.concurrency, place)
    adapted = adapt(call, place)
    around.models.load_declared()
    run_hook(_hook(module, "init"), context)
    is_async = _is_async(call)
    if is_async:
        # In the zygote, where its instances share it: asyncio takes longer to import than a fork to answer.
        importlib.import_module(".async_loop", __package__)
    return Function(adapted, is_async, _hook(module, "start"), _hook(module, "shutdown"))


def _import_entry(name: str, python_path: tuple[str, ...]) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            file = f"{name.replace('.', '/')}.py"
            where = ", ".join(("the package", *python_path))
            raise LoadError(f"there is no {file} in {where}", file) from None
        raise


def _find_entry(module: ModuleType, names: list[str]) -> Handler:
    for name in names:
        entry = getattr(module, name, None)
        if callable(entry):
            return entry
    file = os.path.basename(module.__file__ or module.__name__)
    found = sorted(name for name, value in vars(module).items() if inspect.isfunction(value))
    hint = f"; it defines {', '.join(found[:10])}" if found else ""
    raise LoadError(
        f"{file} has no function `{'` or `'.join(names)}`{hint}. Name it, or say `handler:`", file
    )


def _place_in(module: ModuleType, call: Handler) -> str:
    code = getattr(inspect.unwrap(call), "__code__", None)
    file = os.path.basename(module.__file__ or module.__name__)
    return f"{file}:{code.co_firstlineno}" if code and code.co_filename == module.__file__ else file


def _check_kind(call: Handler, concurrency: int, place: str) -> None:
    if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        raise LoadError(
            "the entry point is a generator, and results are not streamed yet: return them", place
        )
    if concurrency > 1 and not _is_async(call):
        raise LoadError(
            f"`concurrency: {concurrency}` needs `async def`, and the entry point is a plain function; "
            "write it as `async def`, or use more instances (`scale:`) instead",
            place,
        )


def _is_async(call: Handler) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def _hook(module: ModuleType, name: str) -> Hook | None:
    hook = getattr(module, name, None)
    return hook if callable(hook) else None


def run_hook(hook: Hook | None, context: Context) -> None:
    """Call a hook where no event loop runs; a coroutine gets one of its own."""
    outcome = hook(context) if hook else None
    if inspect.isawaitable(outcome):
        import asyncio

        asyncio.run(_await(outcome))


async def _await(outcome: Any) -> Any:
    return await outcome


@dataclass(frozen=True)
class Footprint:
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
