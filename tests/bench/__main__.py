"""Runs the benchmark: `python -m tests.bench [--quick] [--only NAME,...] [--json FILE] [--markdown]`."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.bench import machine
from tests.bench.part import Run
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.report import Result, json_report, text_report, write_markdown
from tests.bench.sections import QUICK as QUICK_SECTIONS
from tests.bench.sections import SECTIONS, measure_section
from tests.bench.venvs import Environment, build_environment
from tests.hosts import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    plan: Plan
    sections: tuple[str, ...]
    json_file: Path | None
    markdown: bool


def main() -> int:
    """Measure, and print the report; 0 also when a goal is missed, 2 for an unknown section."""
    options = _read_options()
    # Told to stop, it must leave through the `finally`s that end what it has started.
    signal.signal(signal.SIGTERM, _leave)
    environments = _build_environments(options.sections)
    head = machine.describe(environments, options.plan)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = Run(options.plan, Path(folder), environments, say)
        result = Result(head, options.plan, [measure_section(name, run) for name in options.sections])
    sys.stdout.write(text_report(result))
    if options.json_file is not None:
        options.json_file.write_text(json_report(result), encoding="utf-8")
    if options.markdown:
        write_markdown(result, PAGE)
    return 0


def say(text: str) -> None:
    """Tell on stderr how far it is; stdout has the report alone."""
    print(text, file=sys.stderr, flush=True)


def _read_options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure fnhost and its peers."
    )
    parser.add_argument(
        "--quick", action="store_true", help="few and short shots, no large peers: shows that it works"
    )
    parser.add_argument("--only", metavar="NAME,...", help=f"single sections of {', '.join(SECTIONS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--markdown", action="store_true", help=f"put the report into {PAGE.name}")
    told = parser.parse_args()
    sections = tuple(told.only.split(",")) if told.only else QUICK_SECTIONS if told.quick else tuple(SECTIONS)
    if unknown := [name for name in sections if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    return Options(QUICK if told.quick else FULL, sections, told.json, told.markdown)


def _build_environments(sections: Sequence[str]) -> dict[str, Environment]:
    wanted = [peer for name in sections for peer in SECTIONS[name].peers]
    for peer in wanted:
        say(f"installing {peer.name}, unless it is there")
    return {peer.name: build_environment(peer) for peer in wanted}


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
