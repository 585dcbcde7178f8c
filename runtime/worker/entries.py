"""Finds a package's entry point: a function of one event, or one of a batch of them."""

import importlib
import os
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from .arity import adapt
from .failures import LoadError
from .plain import is_async, is_plain

DEFAULT_HANDLERS = ("index:index", "index:handler")
BATCH_SUFFIX = "_batch"

Handler = Callable[[Any, Any], Any]


class Entry(NamedTuple):
    """What the manifest says of the entry point.

    `handler` is `module:name`, or None for the defaults; `is_batch` tells that there is `batch:`.
    """

    handler: str | None
    is_batch: bool = False

    @property
    def module(self) -> str:
        """The module's name."""
        return (self.handler or DEFAULT_HANDLERS[0]).partition(":")[0]

    @property
    def names(self) -> list[str]:
        """The names of a function of one event to look for in it, in this order."""
        return [each.partition(":")[2] for each in ([self.handler] if self.handler else DEFAULT_HANDLERS)]

    @property
    def batch_names(self) -> list[str]:
        """The same for a function of a batch."""
        return [f"{name}{BATCH_SUFFIX}" for name in self.names]


class EntryPoint(NamedTuple):
    """A callable of event and context; of a list of events, when `is_batch`."""

    call: Handler
    is_async: bool
    is_batch: bool


def find_entry(entry: Entry, module: ModuleType) -> EntryPoint:
    """The entry point in its module; raises LoadError when there is none, or one of another kind."""
    name = None if entry.is_batch else _first_of(entry.names, module)
    if name is not None:
        call = getattr(module, name)
        return EntryPoint(adapt(call, _place_in(module, call)), _is_async(call), is_batch=False)
    name = _first_of(entry.batch_names, module)
    if name is None:
        raise _nothing_found(entry, module)
    call = getattr(module, name)
    place = _place_in(module, call)
    if _is_generator(call):
        raise LoadError(f"`{name}` cannot be a generator: it returns a list with one result per event", place)
    return EntryPoint(adapt(call, place), _is_async(call), is_batch=True)


def _first_of(names: list[str], module: ModuleType) -> str | None:
    return next((name for name in names if callable(getattr(module, name, None))), None)


def import_entry(entry: Entry, python_path: tuple[str, ...]) -> ModuleType:
    """The module that the entry point is in; raises what it raises, and LoadError when it is not there."""
    name = entry.module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            file = f"{name.replace('.', '/')}.py"
            where = ", ".join(("the package", *python_path))
            raise LoadError(f"there is no {file} in {where}", file) from None
        raise


def _nothing_found(entry: Entry, module: ModuleType) -> LoadError:
    file = os.path.basename(module.__file__ or module.__name__)
    if entry.is_batch:
        name = entry.batch_names[0]
        return LoadError(
            f"`batch:` in function.yaml needs a `{name}(events, context)` in {file}; write one that returns "
            "a list with one result per event, or leave out `batch:`",
            file,
        )
    found = sorted(name for name, value in vars(module).items() if isinstance(value, FunctionType))
    hint = f"; it defines {', '.join(found[:10])}" if found else ""
    return LoadError(
        f"{file} has no function `{'` or `'.join(entry.names)}`{hint}. Name it, or say `handler:`", file
    )


def _place_in(module: ModuleType, call: Handler) -> str:
    code = getattr(_unwrap(call), "__code__", None)
    file = os.path.basename(module.__file__ or module.__name__)
    return f"{file}:{code.co_firstlineno}" if code and code.co_filename == module.__file__ else file


def _unwrap(call: Handler) -> Handler:
    if is_plain(call):
        return call
    import inspect

    return inspect.unwrap(call)


def _is_generator(call: Handler) -> bool:
    import inspect

    return inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)


def _is_async(call: Handler) -> bool:
    if is_plain(call):
        return is_async(call)
    import inspect

    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(is_kind(each) for is_kind in kinds for each in (call, getattr(call, "__call__", None)))  # noqa: B004
