"""Tells what the pickles below a folder import, as a program of its own, and prints it as JSON."""

import json
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

MEMORY = 1024**3
CPU_SECONDS = 20
SECONDS = 10.0
"""CPU time for all files together."""
LEAST = 0.01
MOST_NAMES = 10_000
"""Imports and calls of all files together."""


def scan(folder: Path) -> dict[str, object]:
    """`pickles`, a report for each file with its `file` relative to the folder, and the `fault` of the whole.

    The fault says which files were not looked at.
    """
    from runtime.worker.pickles import MOST_FILES, find_pickles

    reports: list[dict[str, object]] = []
    names = 0
    for path in find_pickles(folder, MOST_FILES + 1):
        if len(reports) == MOST_FILES:
            return _cut(reports, f"the package has more than {MOST_FILES} pickles")
        if names > MOST_NAMES:
            return _cut(reports, f"its pickles import more than {MOST_NAMES:,} names in all")
        report = _look(path)
        names += len(report["imports"]) + len(report["calls"])
        reports.append({"file": str(path.relative_to(folder)), "size": path.stat().st_size, **report})
    return {"pickles": reports, "fault": None}


def _cut(reports: list[dict[str, object]], why: str) -> dict[str, object]:
    fault = f"{why}; those that come after {reports[-1]['file']} are not known"
    return {"pickles": reports, "fault": fault}


def _look(path: Path) -> dict[str, Any]:
    from runtime.worker.pickles import PickleReport, inspect_pickle

    try:
        return asdict(inspect_pickle(path, max(LEAST, SECONDS - time.process_time())))
    except OSError as error:
        return asdict(PickleReport(fault=f"cannot be read ({error.strerror})"))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.path.append(str(Path(__file__).parents[2]))
    print(json.dumps(scan(Path(sys.argv[1]))))
