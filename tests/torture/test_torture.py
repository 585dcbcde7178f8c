"""Under twenty faults of all kinds nothing is lost, repeated without a reason, out of order, or late."""

import asyncio
from pathlib import Path

from tests.torture.faults import KINDS, Wanted, plan_faults
from tests.torture.report import make_report
from tests.torture.run import torture

SHORT = Wanted(faults=20, events=4000, seed=3)
RATE = 100.0


def test_no_fault_costs_an_event(tmp_path: Path) -> None:
    outcome = asyncio.run(torture(SHORT, RATE, tmp_path, print))
    report = make_report(outcome)
    print(report)
    assert outcome.passed, report


def test_a_seed_says_which_faults_come_when() -> None:
    assert plan_faults(SHORT) == plan_faults(SHORT)
    assert plan_faults(SHORT) != plan_faults(Wanted(SHORT.faults, SHORT.events, SHORT.seed + 1))


def test_the_short_form_has_every_kind_of_fault() -> None:
    assert {fault.kind for fault in plan_faults(SHORT)} == set(KINDS)


def test_a_fault_that_cannot_be_had_leaves_the_others_as_they_are() -> None:
    without = plan_faults(Wanted(SHORT.faults, SHORT.events, SHORT.seed, ("disk.full",)))
    assert without == [fault for fault in plan_faults(SHORT) if fault.kind != "disk.full"]
