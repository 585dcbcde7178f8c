"""What an environment has, read from its files without running its interpreter."""

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

    def lacks(self, name: str) -> str | None:
        """The module of an import such as `sklearn.svm._classes.SVC` that is not there; None if it may be."""
        top, *inner = name.split(".")[:-1]
        if top in PROVIDED or (self.site is None and normal(DISTRIBUTIONS.get(top, top)) in self.named):
            return None
        return _missing([folder for folder in (*self.own, *(self.site or ())) if folder.is_dir()], top, inner)


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


def _missing(folders: Sequence[Path], top: str, inner: Sequence[str]) -> str | None:
    """The first part of a module's path that no folder has; classes, which may stand in one, do not count."""
    path = ""
    for part in (top, *inner):
        path = f"{path}.{part}" if path else part
        if part[:1].isupper():
            return None
        packages = [folder / part for folder in folders if (folder / part).is_dir()]
        if not packages:
            return None if any(_is_module(folder, part) for folder in folders) else path
        folders = packages
    return None


def _is_module(folder: Path, name: str) -> bool:
    return any(path.name.endswith(SUFFIXES) for path in folder.glob(f"{name}.*"))
