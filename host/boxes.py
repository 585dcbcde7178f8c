"""Builds the boxes of a host: what the machine has, what the config asks for, and what is too little."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from conf.isolation import LEVELS, Isolation, Level, parse_uids
from host.state import StateDir
from runtime.boxes.box import BoxGrounds
from runtime.boxes.boxes import Boxes
from runtime.boxes.cgroups import Cgroups
from runtime.boxes.machine import Machine, probe_machine
from runtime.boxes.reach import SEARCH, find_barrier
from runtime.boxes.uids import NoUidError, Uids
from runtime.boxes.walls import Lack, Lacks, asked, reached, say_missing
from runtime.overlay import Overlay

logger = logging.getLogger("fnhost")


class IsolationError(Exception):
    """Functions cannot be boxed in as strongly as the config demands; the message says what is missing."""


@dataclass(frozen=True)
class Standing:
    """How strongly functions can be boxed in here, with the walls that are asked for and cannot be put up."""

    level: Level
    lacks: Lacks
    refusal: str | None


def judge(isolation: Isolation, lacks: Lacks) -> Standing:
    """What comes of the config on a machine that lacks these walls."""
    wanted = asked(isolation.level)
    standing = wanted - set(lacks)
    level = reached(standing)
    missing = {wall: lack for wall, lack in lacks.items() if wall in wanted}
    if LEVELS.index(level) >= LEVELS.index(isolation.min):
        return Standing(level, missing, None)
    what = say_missing(isolation.min, standing, missing)
    return Standing(
        level, missing, f"isolation is only {level}, and `isolation.min` is {isolation.min}: {what}"
    )


def look_around(isolation: Isolation, state: Path) -> Machine:
    """What this machine has for a host with this state folder; changes nothing."""
    uids = parse_uids(isolation.uids)
    machine = probe_machine(state, uids)
    closed = None if "uid" in machine.lacks else _find_closed(StateDir(state), uids.start)
    return replace(machine, lacks={**machine.lacks, "uid": closed}) if closed is not None else machine


def _find_closed(state: StateDir, uid: int) -> Lack | None:
    """What of the host's own a function's user would have to reach, and cannot."""
    for folder in (state.packages, state.environments, state.output, state.overlay, state.temporary):
        if barrier := find_barrier(folder, uid, SEARCH):
            return Lack(f"functions' users cannot reach what they run: {barrier}", f"chmod a+x {folder}")
    return None


def make_boxes(isolation: Isolation, state: StateDir, overlay: Overlay, memory: int | None = None) -> Boxes:
    """The boxes of a host whose arbiters import from `overlay`; raises IsolationError, and OSError.

    `state` is locked, `memory` what a pool takes at most that has no bound of its own, in bytes. One line of
    the log tells the level.
    """
    machine = look_around(isolation, state.root)
    wanted, lacks = asked(isolation.level), dict(machine.lacks)
    cgroups = Cgroups(machine.branches, state.owner())
    if any(wall.startswith("cgroup-") for wall in wanted):
        lacks |= cgroups.prepare()
    uids = _take_users(isolation, state, lacks) if "uid" in wanted else None
    standing = judge(isolation, lacks)
    if standing.refusal is not None:
        raise IsolationError(standing.refusal)
    _tell(standing)
    state.temporary.mkdir(mode=0o711, exist_ok=True)
    folders = (state.temporary, state.pythons, overlay.folders, overlay.worker)
    return Boxes(BoxGrounds(*folders, lacks, isolation.level, isolation.min, uids, cgroups, memory))


def _take_users(isolation: Isolation, state: StateDir, lacks: dict[str, Lack]) -> Uids | None:
    if "uid" in lacks:
        return None
    try:
        return Uids(state.root, parse_uids(isolation.uids))
    except (NoUidError, OSError) as error:
        lacks["uid"] = Lack(f"no user ids can be had ({error})", "see `isolation.uids`")
        return None


def _tell(standing: Standing) -> None:
    if LEVELS.index(standing.level) >= LEVELS.index("standard"):
        logger.info("isolation: %s (`fnhost doctor` tells more)", standing.level)
    else:
        missing = "; ".join(f"{wall}: {lack}" for wall, lack in standing.lacks.items())
        logger.warning(
            "ISOLATION IS WEAK, only %s: packages can do what this host can. %s", standing.level, missing
        )
