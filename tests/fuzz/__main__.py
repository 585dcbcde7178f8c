"""Runs the long form: `python -m tests.fuzz [--seconds N] [--only WORD] [--seed N]`."""

import argparse
import logging
import random
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.api.generating import Amount, exposed_host, generate, is_unharmed
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

AT_A_TIME = 100
HTTP = "HTTP API (schemathesis)"
EXAMPLES_PER_SECOND = 3
"""Of schemathesis for each operation: what it makes of them in a second of its share, more or less."""


@dataclass
class Tally:
    """What became of one target: cases, failures, the longest that one case took in seconds."""

    name: str
    cases: int = 0
    failures: int = 0
    longest: float = 0.0
    seconds: float = 0.0

    def row(self) -> str:
        """One line of the report."""
        longest = f"{self.longest * 1000:.0f}"
        return f"| {self.name} | {self.cases:,} | {self.failures} | {longest} | {self.seconds:.0f} |"


def main() -> int:
    """Fuzz for a while, and print a table; 1 when something failed."""
    told = _read_options()
    logging.disable(logging.CRITICAL)
    chosen = [target for target in TARGETS if told.only in target.name]
    share = told.seconds / (len(chosen) + 2)
    print(f"seed {told.seed}: {told.seconds:g} s", file=sys.stderr, flush=True)
    tallies = [fuzz(target, share, told.seed) for target in chosen]
    if told.only in HTTP:
        tallies.append(fuzz_api(2 * share, told.seed))
    print("| target | cases | failures | longest case (ms of CPU) | s |\n| --- | --- | --- | --- | --- |")
    print("\n".join(tally.row() for tally in tallies))
    return int(any(tally.failures for tally in tallies))


def fuzz(target: Target, seconds: float, first_seed: int) -> Tally:
    """Try cases for so long, some hundreds at a time, each time with another seed."""
    tally, began = Tally(target.name), time.monotonic()

    def check(case: Any) -> None:
        tally.cases += 1
        start = time.process_time()
        target.check(case)
        tally.longest = max(tally.longest, time.process_time() - start)

    amount = settings(
        max_examples=AT_A_TIME,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    for number in range(first_seed, sys.maxsize):
        if time.monotonic() - began > seconds:
            break
        try:
            amount(seed(number)(given(target.cases)(check)))()
        except Exception:
            tally.failures += 1
            print(f"{target.name}, seed {number}:", file=sys.stderr)
            traceback.print_exc()
    tally.seconds = time.monotonic() - began
    print(f"  {tally.row()}", file=sys.stderr, flush=True)
    return tally


def fuzz_api(seconds: float, first_seed: int) -> Tally:
    """Drive a real host from its document; `longest` is not measured there."""
    tally, began = Tally(HTTP), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, exposed_host(Path(folder)) as host:
        amount = Amount(
            "examples,coverage,fuzzing,stateful", max(5, int(seconds / EXAMPLES_PER_SECOND)), first_seed
        )
        found = generate(host, amount)
        tally.cases = found.cases
        if found.failures or not is_unharmed(host) or "Traceback" in host.log():
            tally.failures = 1
            print(found.failures, host.log(), file=sys.stderr)
    tally.seconds = time.monotonic() - began
    return tally


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Feed fnhost what it cannot trust."
    )
    parser.add_argument("--seconds", type=float, default=300, metavar="N", help="for how long in all (300)")
    parser.add_argument("--only", default="", metavar="WORD", help="targets with this in their name")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), metavar="N", help="repeats a run"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
