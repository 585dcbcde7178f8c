"""Boxes in the code that source distributions run while they are built."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions import launch
from functions.trees import delete_tree, give_tree, open_folder

PROGRAM, READABLE = 0o755, 0o644


@dataclass(frozen=True)
class Confinement:
    """One build's box: `plan` is what it is to be confined with, as the code in the folder `worker` reads it.

    It may write to the environment that is built and to `folder`, which holds a cache of its own, and reads
    what the plan says. `uid` None is our own user; `end` kills what is left of the build's.
    """

    worker: Path
    plan: Mapping[str, Any]
    folder: Path
    uid: int | None = None
    end: Callable[[], object] = tuple

    @property
    def cache(self) -> Path:
        """uv's cache: what this build put there is nobody else's."""
        return self.folder / "cache"

    def variables(self) -> dict[str, str]:
        """What the build's environment has in the place of ours."""
        return dict.fromkeys(("HOME", "TMPDIR"), str(self.folder))

    @property
    def program(self) -> Path:
        """A copy of uv, since the installed one may lie where the build's user cannot reach it."""
        return self.folder / "uv"

    def launcher(self, target: Path, wheels: Path | None) -> list[str]:
        """What to put before a command so that it runs in the box."""
        installation = Path(os.path.realpath(target / "bin" / "python")).parent.parent
        reads = [installation, *([wheels] if wheels else [])]
        own = (str(target), str(self.folder))
        # Also what it writes it may run: build tools try what they have compiled.
        read = [*self.plan["reads"], *own, *map(str, reads)]
        plan = {**self.plan, "uid": self.uid, "reads": read, "writes": [*own, "/dev/null"]}
        return [launch.BOXED, str(self.worker), json.dumps(plan)]

    def open(self, target: Path, uv: Path) -> None:
        """Make the folder with a copy of uv, and hand it and the environment over."""
        self.folder.mkdir(mode=0o700, parents=True)
        shutil.copy(uv, self.program)
        self._give(self.folder, self.uid)
        self._give(target, self.uid)

    def close(self, target: Path) -> None:
        """Take the environment back, as nobody's to change but ours, and delete the rest."""
        # First: who still runs could change what is taken back.
        self.end()
        delete_tree(self.folder)
        self._give(target, None if self.uid is None else os.geteuid())

    def _give(self, folder: Path, uid: int | None) -> None:
        if uid is None:
            return
        opened = open_folder(folder)
        try:
            # Whatever the build said: nothing is setuid, others may read and not write.
            give_tree(opened, uid, lambda status: PROGRAM if _runs(status) else READABLE)
        finally:
            os.close(opened)


def _runs(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) or bool(status.st_mode & stat.S_IXUSR)
