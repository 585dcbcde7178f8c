"""Lets a package import its own modules relatively, and by the names that the older program gave them."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

from .standard import StandardFinder

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importlib.abc pulls in a third of what an arbiter imports

PACKAGE = "fnhost_package"
OLD_ROOT = "pyboot"
OLD_HOME = "pyboot.modules.gridsum.science"


class SiblingSpec(ModuleSpec):
    """The spec of a module that is imported as if it stood alone, and stands in the package all the same."""

    @property
    def parent(self) -> str:
        """What its relative imports start from."""
        inner = super().parent
        return f"{PACKAGE}.{inner}" if inner else PACKAGE


class AliasLoader(Loader):
    """Gives a module one more name: the same object, so that its classes and its state are the same."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself, which may be at its own import just now."""
        module = importlib.import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It ran before; only its spec is to be what it was."""
        module.__spec__ = self._spec


class SiblingFinder:
    """Stands before Python's own finder for files, and finds what that one would.

    `from .helper import x` in `index.py` finds the module that `import helper` finds. The older program's
    `pyboot.modules.gridsum.science.NAME` is the package, whatever NAME is, where no real pyboot is installed.
    """

    def __init__(self, package_dir: str) -> None:
        self._package_dir = package_dir

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the package, or of any other that lies in a folder of `sys.path`."""
        if name == PACKAGE:
            return self._find_package()
        if name.startswith(f"{PACKAGE}."):
            return _find_inner(name, path)
        if name.startswith(f"{OLD_HOME}.") and _is_ours(OLD_HOME):
            return _find_old(name, path)
        found = PathFinder.find_spec(name, path, target)
        if found is None:
            return _find_old_home(name)
        if _location(found).startswith(f"{self._package_dir}/"):
            found.__class__ = SiblingSpec
        return found

    def _find_package(self) -> ModuleSpec | None:
        file = os.path.join(self._package_dir, "__init__.py")
        if os.path.isfile(file):
            return importlib.util.spec_from_file_location(
                PACKAGE, file, submodule_search_locations=[self._package_dir]
            )
        return _folder_spec(PACKAGE, [self._package_dir])


def install(package_dir: str, standard: list[str]) -> None:
    """Begin to find the package's modules; `standard` are the folders of Python's own."""
    place = sys.meta_path.index(PathFinder)
    sys.meta_path[place:place] = [StandardFinder(standard), SiblingFinder(package_dir)]


def _find_inner(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    found = PathFinder.find_spec(name, path)
    if found is None:
        return None
    alone = name.removeprefix(f"{PACKAGE}.")
    # A module called like one of Python's own is not what its plain name gives.
    is_same = _location(_find_plain(alone)) == _location(found)
    return ModuleSpec(name, AliasLoader(alone)) if is_same else found


def _find_plain(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):
        return None  # its parent is a plain module, or has no spec


def _location(spec: ModuleSpec | None) -> str:
    """The module's file; the folder's path with a slash, where there is only a folder."""
    if spec is None:
        return ""
    return spec.origin or f"{next(iter(spec.submodule_search_locations or ()), '')}/"


def _find_old(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    _, _, inner = name.removeprefix(f"{OLD_HOME}.").partition(".")
    if not inner:
        return ModuleSpec(name, AliasLoader(PACKAGE))
    return ModuleSpec(name, AliasLoader(f"{PACKAGE}.{inner}")) if PathFinder.find_spec(name, path) else None


def _find_old_home(name: str) -> ModuleSpec | None:
    is_above = name == OLD_ROOT or (_is_ours(OLD_ROOT) and f"{OLD_HOME}.".startswith(f"{name}."))
    return _folder_spec(name, []) if is_above else None


def _is_ours(name: str) -> bool:
    """Whether a package of the old names was made here and not found in a folder."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and spec.submodule_search_locations == []


def _folder_spec(name: str, folders: list[str]) -> ModuleSpec:
    """A package that has no code, in these folders."""
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = folders
    return spec
