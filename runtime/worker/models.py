"""Loads model files once per process: pickle and cloudpickle, joblib, ONNX, by suffix or by name."""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .failures import LoadError

if TYPE_CHECKING:
    from .pickle_guard import PickleGuard

# What unpickling raises when classes have moved, or their state has changed.
RAISED = (AttributeError, ImportError, KeyError, TypeError, ValueError)

Loader = Callable[[str], Any]


def _load_pickle(path: str) -> Any:
    import pickle

    # A pickle in a package is the package's code, run where its code runs; events are never unpickled.
    with open(path, "rb") as file:
        return pickle.load(file)  # noqa: S301


def _load_joblib(path: str) -> Any:
    import joblib

    return joblib.load(path)


def _load_onnx(path: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


LOADERS: dict[str, Loader] = {
    "pickle": _load_pickle,
    "cloudpickle": _load_pickle,
    "joblib": _load_joblib,
    "onnx": _load_onnx,
}
SUFFIXES = {
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".cloudpickle": "pickle",
    ".joblib": "joblib",
    ".onnx": "onnx",
}


class Models:
    """The models of one process; `declared` maps names to paths inside the package.

    `pickles` has the lists `allow` and `deny` of what pickles among them may import.
    """

    def __init__(
        self, package_dir: str, declared: dict[str, str], pickles: dict[str, list[str]] | None = None
    ) -> None:
        self._package_dir = package_dir
        self._declared = declared
        self._guard = _make_guard(pickles) if pickles else None
        self._loaded: dict[tuple[str, object], Any] = {}
        # One each, and reentrant: a loader may load other models, or hand its own name on.
        self._locks: dict[tuple[str, object], threading.RLock] = {}

    def load_declared(self) -> None:
        """Load what the manifest names; in a zygote its instances share that memory."""
        for name in self._declared:
            self.load(name)

    def load(self, path: str | None = None, loader: str | Loader | None = None) -> Any:
        """The model at `path` (a declared name, or a file of the package), loaded at the first call."""
        file = self._find(path)
        key = (file, loader)
        if key not in self._loaded:
            with self._locks.setdefault(key, threading.RLock()):
                if key not in self._loaded:
                    self._loaded[key] = self._read(file, self._loader_for(file, loader))
        return self._loaded[key]

    def _read(self, file: str, load: Loader) -> Any:
        try:
            if self._guard is None:
                return load(file)
            with self._guard.reading(os.path.relpath(file, self._package_dir)):
                return load(file)
        except RAISED as error:
            if load in (_load_pickle, _load_joblib) and (told := self._explain(error, file)):
                raise told from error
            raise

    def _explain(self, error: Exception, file: str) -> LoadError | None:
        from .old_models import explain_model

        return explain_model(error, file, self._package_dir)

    def _find(self, path: str | None) -> str:
        if path is None:
            path = self._only_one()
        file = os.path.join(self._package_dir, self._declared.get(path, path))
        if not os.path.isfile(file):
            name = os.path.basename(file)
            raise LoadError(f"the model {path!r} is not in the package: there is no file {name}")
        return file

    def _only_one(self) -> str:
        if "default" in self._declared:
            return "default"
        if len(self._declared) == 1:
            return next(iter(self._declared))
        found = [name for name in sorted(os.listdir(self._package_dir)) if _suffix(name) in SUFFIXES]
        if len(found) != 1:
            named = ", ".join(found) or "none"
            raise LoadError(f"context.model() needs a path: model files in the package: {named}")
        return found[0]

    def _loader_for(self, file: str, loader: str | Loader | None) -> Loader:
        if callable(loader):
            return loader
        name = loader or SUFFIXES.get(_suffix(file))
        if name not in LOADERS:
            known = ", ".join(sorted(LOADERS))
            what = os.path.basename(file)
            raise LoadError(f"no loader is known for {what}; say loader= one of {known}, or a callable")
        return LOADERS[name]


def _make_guard(lists: dict[str, list[str]]) -> "PickleGuard":
    # Most hosts have no policy, and no cold start is to wait for it.
    from .pickle_guard import PickleGuard
    from .pickle_policy import PicklePolicy

    return PickleGuard(PicklePolicy(tuple(lists["allow"]), tuple(lists["deny"])))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
