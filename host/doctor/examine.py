"""Makes every check; one that fails itself does not keep the others from being made."""

from collections.abc import Callable

from host.doctor.box import check_box
from host.doctor.brokers import check_brokers
from host.doctor.config import check_config
from host.doctor.disk import check_disk
from host.doctor.findings import Case, Finding, Section
from host.doctor.interpreters import check_interpreters
from host.doctor.memory import check_memory
from host.doctor.port import check_port
from host.doctor.state import check_state
from host.doctor.surroundings import check_surroundings

CHECKS: dict[str, Callable[[Case], Section]] = {
    "config": check_config,
    "state": check_state,
    "disk": check_disk,
    "port": check_port,
    "python": check_interpreters,
    "box": check_box,
    "memory": check_memory,
    "brokers": check_brokers,
    "surroundings": check_surroundings,
}


def examine(case: Case) -> list[Section]:
    """Every section, in the order of what a host needs first."""
    return [_make(name, check, case) for name, check in CHECKS.items()]


def _make(name: str, check: Callable[[Case], Section], case: Case) -> Section:
    try:
        return check(case)
    except Exception as error:  # a machine may be broken in ways that no check foresees
        if case.env.get("FNHOST_DEBUG") == "1":
            raise
        told = f"this could not be looked at: {type(error).__name__}: {error}"
        lack = Finding(name, "lack", told, "it may hide another fault", "FNHOST_DEBUG=1 fnhost doctor")
        return Section(name, "it could not be looked at", True, [lack])
