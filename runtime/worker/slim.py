"""Imports gunicorn's arbiter and worker without what only a server of HTTP needs of them."""

import importlib
import io
import os
import sys
from collections.abc import Iterable
from types import ModuleType

# What gunicorn imports and our shape of it never touches: sockets, TLS, HTTP, pid files and entry points.
UNUSED = (
    "ast",
    "datetime",
    "email",
    "email.utils",
    "html",
    "importlib.metadata",
    "inspect",
    "ssl",
    "tempfile",
    "urllib",
    "urllib.parse",
    "gunicorn.http.errors",
    "gunicorn.http.wsgi",
    "gunicorn.reloader",
)
HEARTBEAT = "gunicorn.workers.workertmp"


class Unused(type):
    """The kind of the empty exception classes that stand for what gunicorn takes from a module by name."""

    def __getattr__(cls, name: str) -> "Unused":
        return _make_unused(cls.__module__, name)


class StandIn(ModuleType):
    """A module that is imported and not used."""

    def __getattr__(self, name: str) -> Unused:
        return _make_unused(self.__name__, name)


def _make_unused(module: str, name: str) -> Unused:
    if name.startswith("__"):
        raise AttributeError(name)
    return Unused(name, (Exception,), {"__module__": module})


class WorkerTmp(io.FileIO):
    """gunicorn's heartbeat file, in memory: the host owns the deadlines, so nothing ever beats."""

    def __init__(self, cfg: object) -> None:
        super().__init__(os.memfd_create("heartbeat"), "w")


def import_gunicorn(folder: str) -> None:
    """Import what we subclass from the overlay `folder`; afterwards `import ssl` gives the real one again."""
    unused = _put_in_place([name for name in UNUSED if name not in sys.modules])
    sys.modules[HEARTBEAT] = StandIn(HEARTBEAT)
    vars(sys.modules[HEARTBEAT])["WorkerTmp"] = WorkerTmp
    sys.path.insert(0, folder)
    try:
        importlib.import_module("gunicorn.arbiter")
        importlib.import_module("gunicorn.workers.base")
    finally:
        sys.path.remove(folder)
        for name in unused:
            del sys.modules[name]


def _put_in_place(names: Iterable[str]) -> list[str]:
    placed = list(names)
    sys.modules.update({name: StandIn(name) for name in placed})
    return placed
