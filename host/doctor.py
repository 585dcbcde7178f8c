"""What is the matter with a machine, as far as the host can tell without running: a list of checks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from conf.settings import Settings
from host.boxes import judge, look_around
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


CHECKS: tuple[Check, ...] = (check_walls,)


def examine(settings: Settings) -> list[Report]:
    """Make every check."""
    return [check(settings) for check in CHECKS]
