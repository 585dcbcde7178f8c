"""Tells what the pickles below a folder import, as a program of its own, and prints it as JSON."""

import json
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path

MEMORY = 1024**3
CPU_SECONDS = 20
SECONDS = 10.0
"""CPU time for all files together."""
LEAST = 0.01


def scan(folder: Path) -> list[dict[str, object]]:
    """A report for each file, with its `file` relative to the folder."""
    from runtime.worker.pickles import find_pickles, inspect_pickle

    reports = []
    for path in find_pickles(folder):
        report = inspect_pickle(path, max(LEAST, SECONDS - time.process_time()))
        reports.append({"file": str(path.relative_to(folder)), "size": path.stat().st_size, **asdict(report)})
    return reports


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.path.append(str(Path(__file__).parents[2]))
    print(json.dumps(scan(Path(sys.argv[1]))))
