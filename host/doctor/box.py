"""Looks at which walls functions get on this machine."""

from host.boxes import judge, look_around
from host.doctor.findings import Case, Finding, Section
from runtime.boxes.walls import WALLS

BEHIND_LESS = "a package can do more than it needs"


def check_box(case: Case) -> Section:
    """Every wall, and the level that they make together."""
    isolation = case.settings.config.isolation
    lacks = look_around(isolation, case.settings.state_dir).lacks
    standing = judge(isolation, lacks)
    findings = [
        Finding(wall, "lack", lacks[wall].why, f"without it, not: {what}", lacks[wall].remedy)
        if wall in lacks
        else Finding(wall, "ok", what)
        for wall, what in WALLS.items()
    ]
    if standing.refusal is not None:
        remedy = f"mend what is missing, or write `isolation: {{min: {standing.level}}}`"
        findings.append(Finding("isolation.min", "fault", standing.refusal, BEHIND_LESS, remedy))
    return Section("box", f"isolation is {standing.level}", standing.refusal is None, findings)
