"""Refuses imports of pickles while `context.model` loads a file, by the host's policy.

Python raises the audit event `pickle.find_class` before each import of an unpickler, whichever unpickler it
is: joblib's own and those that it uses for arrays of objects as well. What a package unpickles by itself is
its own code's doing, and held by the box only.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .failures import LoadError
from .pickle_policy import PicklePolicy

FIND_CLASS = "pickle.find_class"


class PickleGuard:
    """Watches the unpicklers of this process; an audit hook stays for good."""

    def __init__(self, policy: PicklePolicy) -> None:
        self._policy = policy
        self._loading = threading.local()
        sys.addaudithook(self._hear)

    @contextmanager
    def reading(self, file: str) -> Iterator[None]:
        """While this thread loads `file`, which is what a refusal names, the policy holds for it."""
        before, self._loading.file = getattr(self._loading, "file", None), file
        try:
            yield
        finally:
            self._loading.file = before

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == FIND_CLASS and (file := getattr(self._loading, "file", None)):
            self._check(file, str(arguments[0]), str(arguments[1]))

    def _check(self, file: str, module: str, name: str) -> None:
        self._ask(file, f"{module}.{name}", self._policy)
        found = _find(module, name)
        real = f"{getattr(found, '__module__', None)}.{getattr(found, '__qualname__', None)}"
        # Through dots one could come to any module that an allowed one has imported.
        policy = self._policy if "." in name else PicklePolicy(deny=self._policy.deny)
        if "None" not in real.split("."):
            self._ask(file, real, policy)

    def _ask(self, file: str, name: str, policy: PicklePolicy) -> None:
        if (line := policy.refusal(name)) is not None:
            raise LoadError(f"{file} imports {name}, and the host's policy for pickles says {line}", file)


def _find(module: str, name: str) -> object:
    """What the unpickler is about to find; it tells by itself when there is no such thing."""
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found
