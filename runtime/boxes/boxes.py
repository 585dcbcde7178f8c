"""The boxes of one host: for pools, and for builds."""

import contextlib
import itertools
import logging
from collections.abc import Container
from dataclasses import replace
from functools import partial
from pathlib import Path

from functions.confinement import Confinement
from functions.trees import delete_tree
from runtime.boxes.box import LARGEST_FILE, Box, BoxGrounds, FullBox
from runtime.boxes.folders import delete_shared_memory
from runtime.boxes.places import system_reads
from runtime.boxes.pythons import find_reachable
from runtime.boxes.uids import NoUidError
from runtime.boxes.walls import asked
from runtime.leftovers import kill_users
from runtime.spec import PoolSpec
from runtime.worker.box_plan import BoxPlan

logger = logging.getLogger(__name__)

# No function's name begins so.
BUILDER = "+build+"


class Boxes:
    """The boxes of one host's pools; without grounds nothing but the limits of each process."""

    def __init__(self, grounds: BoxGrounds | None = None) -> None:
        self._grounds = grounds
        self._numbers = itertools.count(1)

    def open(self, spec: PoolSpec) -> "Box":
        """The box for one life of a pool's arbiter; nothing of it is made yet."""
        if self._grounds is None:
            return Box(spec)
        return FullBox(spec, self._grounds, next(self._numbers))

    def adopt(self, python: Path) -> Path:
        """The interpreter to use for new environments: this one, or a copy that users of functions can reach.

        Blocks; raises OSError.
        """
        grounds = self._grounds
        if grounds is None or grounds.uids is None:
            return python
        return find_reachable(python, grounds.pythons, grounds.uids.block.start)

    def confine_build(self, function: str) -> Confinement | None:
        """The box for building an environment from sources; None where there is none.

        One is built for a function at a time, and each as a user of its own. Raises OSError.
        """
        grounds = self._grounds
        if grounds is None or grounds.level == "none":
            return None
        puts_up = asked(grounds.level) - set(grounds.lacks)
        plan = BoxPlan(
            landlock="landlock" in puts_up,
            seccomp="seccomp" in puts_up,
            reads=system_reads(),
            file_size=LARGEST_FILE,
        )
        folder = grounds.folder / f"build.{next(self._numbers)}"
        box = Confinement(grounds.worker, plan._asdict(), folder)
        with contextlib.suppress(NoUidError):
            if grounds.uids is not None:
                uid = grounds.uids.uid(BUILDER + function)
                return replace(box, uid=uid, end=partial(kill_users, range(uid, uid + 1)))
        return box

    def user_of(self, function: str) -> int | None:
        """The id that its processes run as; None: the host's own. Blocks; raises OSError."""
        uids = self._grounds.uids if self._grounds is not None else None
        with contextlib.suppress(NoUidError):
            return uids.uid(function) if uids is not None else None
        return None

    def forget(self, function: str) -> None:
        """It is no more, nor are its folders: end what its users have left. Blocks; raises OSError."""
        uids = self._grounds.uids if self._grounds is not None else None
        if uids is None:
            return
        for name in (function, BUILDER + function):
            if (uid := uids.given.get(name)) is not None:
                kill_users((uid,))
                delete_shared_memory((uid,))
                uids.give_back(name)

    def keep(self, functions: Container[str]) -> None:
        """Forget all functions but these: a crash may have kept one from being forgotten."""
        uids = self._grounds.uids if self._grounds is not None else None
        for name in uids.given if uids is not None else ():
            function = name.removeprefix(BUILDER)
            if not function.startswith("+") and function not in functions:
                self.forget(function)

    def clear(self) -> int:
        """Kill what an earlier life of the host left in its boxes; returns how many processes there were."""
        grounds = self._grounds
        if grounds is None:
            return 0
        killed = grounds.cgroups.clear() if grounds.cgroups is not None else 0
        if grounds.uids is not None:
            # Not the whole block: it may be others' as well.
            users = set(grounds.uids.given.values())
            killed += kill_users(users)
            delete_shared_memory(users)
        for left in grounds.folder.iterdir():
            if not delete_tree(left):
                logger.warning("%s of an earlier run cannot be deleted", left)
        return killed
