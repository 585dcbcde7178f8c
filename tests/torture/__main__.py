"""Runs the long form: `python -m tests.torture [--faults N] [--events N] [--seed N] [--rate N]`."""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.torture.faults import Wanted
from tests.torture.report import make_report
from tests.torture.run import torture


def main() -> int:
    """Torture, and print the report; 1 when a promise was broken, and then what was written is kept."""
    told = _read_options()
    wanted = Wanted(told.faults, told.events, told.seed)
    say(f"seed {wanted.seed}: {wanted.faults} faults over {wanted.events:,} events")
    # Told to stop, it must leave through the `finally`s that end what it has started.
    signal.signal(signal.SIGTERM, _leave)
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    outcome = asyncio.run(torture(wanted, told.rate, folder, say))
    sys.stdout.write(make_report(outcome))
    if outcome.passed:
        shutil.rmtree(folder)
        return 0
    say(f"the logs of host and brokers are in {folder}")
    return 1


def say(text: str) -> None:
    """Tell on stderr how far it is; stdout has the report alone."""
    print(text, file=sys.stderr, flush=True)


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Crash fnhost under load.")
    parser.add_argument("--faults", type=int, default=300, metavar="N", help="how many faults (300)")
    parser.add_argument("--events", type=int, default=100_000, metavar="N", help="how many events (100000)")
    parser.add_argument("--rate", type=float, default=120, metavar="N", help="events a second (120)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), metavar="N", help="repeats a run"
    )
    return parser.parse_args()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
