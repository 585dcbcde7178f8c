"""What revisions have on disk: packages by sha256 and environments, deleted once no row needs them."""

import contextlib
import itertools
import logging
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from functions.registry import Registry, Row
from functions.trees import delete_tree
from host.state import StateDir

logger = logging.getLogger(__name__)


class RevisionFiles:
    """A row comes before its files and goes before them: files without a row are rubbish, whoever left them.

    What is deleted is renamed into the staging folder first, which the next start empties: a crash leaves
    rubbish, never half of a package. The methods block, and may be called from any thread.
    """

    def __init__(self, state: StateDir, registry: Registry) -> None:
        self._state = state
        self._registry = registry
        self._lock = threading.Lock()
        self._counted = itertools.count()

    def store(self, root: Path, sha256: str) -> Path:
        """Move an unpacked package to its place, unless it is there; its revision's row is."""
        target = self._state.package(sha256)
        with self._lock:
            if not target.exists():
                root.rename(target)
        return target

    def set_aside(self, name: str, running: Collection[str]) -> list[Path]:
        """Take what no revision needs of this function's environments, and of all packages, out of the way.

        `running` are packages that have no row any more and a process still. To be called while nobody
        deploys this function; `delete` what is returned.
        """
        with self._lock:
            environments = list(self._environments(name))
            packages = list(self._state.packages.iterdir())
            needed = _Needed(self._registry.rows())
            rubbish = [path for path in packages if path.name not in {*needed.packages, *running}]
            rubbish += _unneeded(environments, needed)
            moved = [self._move(path) for path in rubbish]
        with contextlib.suppress(OSError):  # other revisions are in it
            (self._state.environments / name).rmdir()
        return [path for path in moved if path is not None]

    def delete(self, paths: Iterable[Path]) -> None:
        """Delete what was set aside."""
        for path in paths:
            delete_tree(path)

    def written(self) -> set[str]:
        """The functions, also former ones, that have folders for what they write."""
        folders = (self._state.output, self._state.shared_output)
        return {path.name for folder in folders for path in folder.iterdir()}

    def delete_output(self, name: str) -> bool:
        """Delete what a function that is no more has written; False when something stays."""
        stays = False
        for folder in (self._state.output / name, self._state.shared_output / name):
            if not delete_tree(folder):
                logger.warning("%s of a function that was removed cannot be deleted", folder)
                stays = True
        return not stays

    def strays(self) -> list[str]:
        """The functions with environments that no revision needs, left by a crash."""
        names = [folder.name for folder in self._state.environments.iterdir()]
        found = {name: list(self._environments(name)) for name in names}
        needed = _Needed(self._registry.rows())
        return [name for name in names if any(_unneeded(found[name], needed))]

    def _environments(self, name: str) -> Iterator[Path]:
        folder = self._state.environments / name
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.name.isdecimal())

    def _move(self, path: Path) -> Path | None:
        target = self._state.staging / f"old-{next(self._counted)}"
        try:
            return path.rename(target)
        except OSError as error:
            logger.warning("%s is needed no more and cannot be deleted: %s", path, error.strerror)
            return None


class _Needed:
    """What the rows need: packages and environments of revisions that run or are built, logs of all."""

    def __init__(self, rows: list[Row]) -> None:
        whole = [row for row in rows if row.state != "failed"]
        self.packages = {row.sha256 for row in whole}
        self.environments = {(row.function, row.number) for row in whole}
        self.logs = {(row.function, row.number) for row in rows}


def _unneeded(environments: Iterable[Path], needed: _Needed) -> Iterator[Path]:
    """Whole folders of revisions that are gone, and the venvs of those that failed."""
    for path in environments:
        revision = (path.parent.name, int(path.name))
        if revision not in needed.logs:
            yield path
        elif revision not in needed.environments and (path / "venv").is_dir():
            yield path / "venv"
