"""What is the matter with a machine, as far as the host can tell without running: a list of checks."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from conf.settings import Settings
from host.boxes import judge, look_around
from host.state import StateError, check_owner
from runtime.boxes.walls import WALLS


@dataclass(frozen=True)
class Finding:
    """One thing that the host can use, whether it is here, and if not why and what to do."""

    name: str
    here: bool
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """What one check found; `verdict` is a sentence, and `sound` whether the host would start."""

    verdict: str
    sound: bool
    findings: list[Finding] = field(default_factory=list)


Check = Callable[[Settings], Report]


def check_walls(settings: Settings) -> Report:
    """Which walls functions get on this machine."""
    isolation = settings.config.isolation
    lacks = look_around(isolation, settings.state_dir).lacks
    standing = judge(isolation, lacks)
    findings = [
        Finding(wall, False, lacks[wall].why, lacks[wall].remedy)
        if wall in lacks
        else Finding(wall, True, what)
        for wall, what in WALLS.items()
    ]
    verdict = standing.refusal or f"isolation is {standing.level}"
    return Report(verdict, standing.refusal is None, findings)


def check_state(settings: Settings) -> Report:
    """Whether the state folder can be used, or made."""
    root = settings.state_dir
    try:
        check_owner(root)
    except StateError as error:
        return Report(str(error), False)
    nearest = next(each for each in (root, *root.absolute().parents) if os.path.exists(each))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        return Report(f"{root} cannot be used: {nearest} is no folder to write in; choose --state", False)
    return Report(f"the state folder is {root}", True)


CHECKS: tuple[Check, ...] = (check_walls, check_state)


def examine(settings: Settings) -> list[Report]:
    """Make every check."""
    return [check(settings) for check in CHECKS]
