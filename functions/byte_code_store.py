"""Byte code of installed libraries, kept by the digests of their sources, so that it is compiled once.

An environment whose wheels are in uv's cache is there in a second, and then compiles what it imports: 850
modules and four seconds of processor time for scikit-learn, again for each revision.
"""

import asyncio
import contextlib
import csv
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from functions import compile_verified
from functions.child import run_child

MOST_FILES = 20_000
"""Beyond that, what no environment uses is deleted before more is kept."""


TIME_LIMIT = 600.0
COLUMNS, DIGEST = 3, "sha256="
"""A line of a RECORD is path, digest and size (packaging.python.org, "Recording installed projects")."""


@dataclass(frozen=True)
class Source:
    """An installed module: `digest` is what its wheel's RECORD says of it, `pyc` where Python looks first."""

    digest: str
    path: Path
    pyc: Path


class ByteCodeStore:
    """`folder` is ours alone; it holds a folder for each version of Python."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tasks: set[asyncio.Task[None]] = set()

    def link(self, environment: Path) -> int:
        """Give a new environment what is kept for its modules, before any of it runs; returns how many."""
        linked = 0
        for site in _sites(environment):
            kept = self._folder / site.parent.name
            names = set(os.listdir(kept)) if kept.is_dir() else set()
            for source in sources_of(site):
                # Of two that want one place the first has it; across file systems there are no links.
                if source.digest in names:
                    with contextlib.suppress(OSError):
                        source.pyc.parent.mkdir(exist_ok=True)
                        os.link(kept / source.digest, source.pyc)
                        linked += 1
        return linked

    def begin_keep(self, python: Path, environment: Path, imported: Collection[str]) -> None:
        """Compile in the background, at the lowest priority, the modules with these files, and link them.

        An environment cannot do that itself: it is not its function's to write. Files that no wheel has
        brought there are passed over, so what a function says of its imports is not believed.
        """
        task = asyncio.get_running_loop().create_task(self._keep(python, environment, imported))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, python: Path, environment: Path, imported: Collection[str]) -> None:
        for site in await asyncio.to_thread(_sites, environment):
            kept = self._folder / site.parent.name
            if lines := await asyncio.to_thread(_find_new, site, kept, imported):
                await run_child(python, [compile_verified.__file__, str(kept)], TIME_LIMIT, lines)
        await asyncio.to_thread(self.link, environment)


def _sites(environment: Path) -> list[Path]:
    return list(environment.glob("lib/python*/site-packages"))


def sources_of(site: Path) -> Iterator[Source]:
    """The modules that the wheels installed in `site` have brought, as their RECORD files tell."""
    tag = f"cpython-{site.parent.name.removeprefix('python').replace('.', '')}"
    for record in site.glob("*.dist-info/RECORD"):
        for name, digest in _rows(record):
            # Scripts lie elsewhere, and a wheel may say anything.
            if name.endswith(".py") and not name.startswith("/") and ".." not in name:
                path = site / name
                yield Source(digest, path, path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc")


def _rows(record: Path) -> Iterator[tuple[str, str]]:
    with (
        contextlib.suppress(csv.Error, OSError),
        record.open(encoding="utf-8", errors="replace", newline="") as file,
    ):
        for row in csv.reader(file):
            if len(row) == COLUMNS and row[1].startswith(DIGEST):
                yield row[0], row[1].removeprefix(DIGEST)


def _find_new(site: Path, kept: Path, imported: Collection[str]) -> bytes:
    """Lines for the compiler: what was imported, of which nothing is kept."""
    kept.mkdir(parents=True, exist_ok=True)
    names = set(os.listdir(kept))
    if len(names) > MOST_FILES:
        _delete_unused(kept)
    new = (each for each in sources_of(site) if each.digest not in names and str(each.path) in imported)
    return b"".join(os.fsencode(f"{each.digest} {each.path}\n") for each in new)


def _delete_unused(kept: Path) -> None:
    for entry in os.scandir(kept):
        if entry.stat().st_nlink == 1:
            os.unlink(entry)
