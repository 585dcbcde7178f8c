"""What an environment has, read from its files without running its interpreter."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from functions.imports import BRINGS, DISTRIBUTIONS, PROVIDED, normal

DIST_INFO = re.compile(r"(.+?)-([^-]+)\.dist-info")
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*===?\s*([^\s;,#]+)\s*(?:;.*)?")
NAME = re.compile(r"[A-Za-z0-9._-]+")
WHEEL_PARTS = 5
SUFFIXES = (".py", ".pyi", ".so", ".pyd", ".pyc")


@dataclass(frozen=True)
class Installed:
    """`versions` are those of distributions by normal name; `python` is a version, "" where it is not known.

    Modules lie in the folders `own` of the package and in `site`, None where nothing is installed yet. Then
    `named` has the distributions that are asked for, with those that they are known to bring.
    """

    versions: Mapping[str, str]
    python: str
    own: tuple[Path, ...]
    site: tuple[Path, ...] | None = None
    named: frozenset[str] = field(default_factory=frozenset)

    def version(self, distribution: str) -> str | None:
        """The version of a distribution, None where it is not there or not known."""
        return self.versions.get(normal(distribution))

    def lacking(self, names: Iterable[str]) -> dict[str, str]:
        """Of imports such as `sklearn.svm._classes.SVC` those whose module is not there, with that module."""
        contents = _Contents()
        folders = tuple(folder for folder in (*self.own, *(self.site or ())) if folder.is_dir())
        modules = {name: name.rpartition(".")[0] for name in names}
        missing = {module: self._missing(module, folders, contents) for module in set(modules.values())}
        return {name: lacks for name, module in modules.items() if (lacks := missing[module])}

    def _missing(self, module: str, folders: tuple[Path, ...], contents: "_Contents") -> str | None:
        top, *inner = module.split(".")
        # A name without a module has none to lack.
        if not module or top in PROVIDED:
            return None
        if self.site is None and normal(DISTRIBUTIONS.get(top, top)) in self.named:
            return None
        return _missing(contents, folders, (top, *inner))


def read_environment(environment: Path, own: Iterable[Path]) -> Installed:
    """What the venv in `environment` has."""
    folders = sorted((environment / "lib").glob("python*/site-packages"))
    infos = (path.name for folder in folders for path in folder.glob("*.dist-info"))
    found = (DIST_INFO.fullmatch(name) for name in infos)
    versions = {normal(match[1]): match[2] for match in found if match}
    python = folders[0].parent.name.removeprefix("python") if folders else ""
    return Installed(versions, python, tuple(own), tuple(folders))


def foresee(
    requirements: Sequence[str], wheels: Path | None, python: str | None, own: Iterable[Path]
) -> Installed:
    """What an environment will have, as far as requirements and wheels tell it before it is built."""
    pins = (PIN.fullmatch(line) for line in requirements)
    versions = {normal(match[1]): match[2] for match in pins if match}
    for wheel in sorted(wheels.glob("*.whl")) if wheels else ():
        parts = wheel.stem.split("-")
        if len(parts) >= WHEEL_PARTS:
            versions.setdefault(normal(parts[0]), parts[1])
    names = {normal(match[0]) for line in requirements if (match := NAME.match(line))}
    named = {*versions, *names, *(other for name in names for other in BRINGS.get(name, ()))}
    return Installed(versions, python or "", tuple(own), named=frozenset(named))


class _Contents:
    """What folders hold, each of them read once, however many modules are looked for in it."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[set[str], set[str]]] = {}

    def packages(self, folder: Path) -> set[str]:
        """The names of the folders in it."""
        return self._read(folder)[0]

    def modules(self, folder: Path) -> set[str]:
        """The names of its files that are modules."""
        return self._read(folder)[1]

    def _read(self, folder: Path) -> tuple[set[str], set[str]]:
        if folder not in self._known:
            entries = list(folder.iterdir()) if os.access(folder, os.R_OK | os.X_OK) else []
            packages = {entry.name for entry in entries if entry.is_dir()}
            files = {entry.name.partition(".")[0] for entry in entries if entry.name.endswith(SUFFIXES)}
            self._known[folder] = packages, files
        return self._known[folder]


def _missing(contents: _Contents, folders: Sequence[Path], parts: Iterable[str]) -> str | None:
    """The first part of a module's path that no folder has; classes, which may stand in one, do not count."""
    path = ""
    for part in parts:
        path = f"{path}.{part}" if path else part
        if part[:1].isupper():
            return None
        packages = [folder / part for folder in folders if part in contents.packages(folder)]
        if not packages:
            return None if any(part in contents.modules(folder) for folder in folders) else path
        folders = packages
    return None
