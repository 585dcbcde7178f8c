"""What stands in a package and its pickles, held against its environment and the host's policy.

Nothing of a package is run for it, and its pickles are read by a process of their own: they are what hostile
packages are made of.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from functions.base_set import BaseSet
from functions.installed import Installed
from functions.package import Package
from host.access.token_file import write_private
from host.deployment import scan_pickles
from runtime.worker.pickle_policy import PicklePolicy
from runtime.worker.pickles import PickleReport

TIME_LIMIT = 40.0
MOST_NAMED = 5
SHOWN_FILES = 1000
UNHELD = "so the host's policy for pickles cannot be held against it"


class InspectionError(Exception):
    """A package that is sound is not taken for what its pickles are."""


@dataclass(frozen=True)
class InspectedPickle:
    """One file: what it holds, and what is to be said of it.

    `mismatches` are versions that differ from those of its environment, `lacking` modules that are not in it.
    `refused` are the imports that the host's policy refuses, each with its line.
    """

    file: str
    size: int
    report: PickleReport
    mismatches: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """A sentence for each thing that a person should know before the function runs."""
        yield from (f"{self.file} {told}" for told in (*self.mismatches, *self.lacking, *self.refused))
        if self.report.fault:
            yield f"{self.file} {self.report.fault}"

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        report = {**asdict(self.report), "versions": dict(self.report.versions)}
        notes = {"mismatches": self.mismatches, "lacking": self.lacking, "refused": self.refused}
        return {"file": self.file, "size": self.size, **report, **notes}


@dataclass(frozen=True)
class Inspection:
    """A package: `size` is in bytes, unpacked; `fault` says why not all of its pickles could be read.

    `refused` is what the host's policy says of that. `input` is the JSON Schema of its events,
    if it declares one.
    """

    handler: str | None
    python: str | None
    files: tuple[tuple[str, int], ...]
    requirements: tuple[str, ...]
    wheels: tuple[str, ...]
    models: dict[str, str]
    pickles: tuple[InspectedPickle, ...]
    fault: str | None = None
    refused: str | None = None
    input: dict[str, Any] | None = None

    @property
    def refusal(self) -> str | None:
        """Why the host's policy does not take the package; None when it does."""
        refused = [self.refused] if self.refused else []
        refused += [f"{each.file} {line}" for each in self.pickles for line in each.refused]
        more = f" (and {len(refused) - MOST_NAMED} more)" if len(refused) > MOST_NAMED else ""
        return "; ".join(refused[:MOST_NAMED]) + more if refused else None

    @property
    def mismatch(self) -> str | None:
        """Which models were made with other versions than are installed; None when none was."""
        told = [f"{each.file} {line}" for each in self.pickles for line in each.mismatches]
        return "; ".join(told[:MOST_NAMED]) if told else None

    def needs(self) -> Iterator[str]:
        """A line for each pickle that needs more than Python."""
        for each in self.pickles:
            if each.report.foreign:
                yield f"{each.file} needs {each.report}"

    def lines(self) -> Iterator[str]:
        """What is to be said of its pickles."""
        if self.fault:
            yield self.fault
        for each in self.pickles:
            yield from each.lines()

    def as_json(self) -> dict[str, Any]:
        """All of it; of the files the first thousand."""
        return {
            "handler": self.handler,
            "python": self.python,
            "size": sum(size for _, size in self.files),
            "file_count": len(self.files),
            "files": [{"file": name, "size": size} for name, size in self.files[:SHOWN_FILES]],
            "requirements": self.requirements,
            "wheels": self.wheels,
            "models": self.models,
            "input": self.input,
            "pickles": [each.as_json() for each in self.pickles],
            "fault": self.fault,
        }


def inspect_package(package: Package, base: BaseSet) -> Inspection:
    """What stands in an unpacked package; large models take some seconds of a process of its own."""
    manifest = package.manifest
    pickles, fault = _scan(package.root)
    paths = (path for path in sorted(package.root.rglob("*")) if path.is_file())
    return Inspection(
        handler=manifest.handler,
        python=manifest.python or base.python,
        files=tuple((str(path.relative_to(package.root)), path.stat().st_size) for path in paths),
        requirements=package.requirements + base.requirements,
        wheels=tuple(path.name for path in sorted(package.wheels.glob("*.whl"))) if package.wheels else (),
        models=dict(manifest.models),
        pickles=tuple(pickles),
        fault=fault,
        input=manifest.input if isinstance(manifest.input, dict) else None,
    )


def compare(inspection: Inspection, installed: Installed) -> Inspection:
    """The same, held against the environment that the package has or will have."""
    names = dict.fromkeys(name for each in inspection.pickles for name in each.report.foreign)
    lacking = installed.lacking(names)
    pickles = (
        replace(
            each,
            mismatches=tuple(_mismatches(each.report, installed)),
            lacking=tuple(_lacking(each.report, lacking)),
        )
        for each in inspection.pickles
    )
    return replace(inspection, pickles=tuple(pickles))


def judge(inspection: Inspection, policy: PicklePolicy) -> Inspection:
    """The same, held against the host's policy; what could not be read is refused where there is one."""
    if not policy.says_anything:
        return inspection
    pickles = (replace(each, refused=tuple(_refused(each, policy))) for each in inspection.pickles)
    refused = f"{inspection.fault}, {UNHELD}" if inspection.fault else None
    return replace(inspection, pickles=tuple(pickles), refused=refused)


def write_inspection(inspection: Inspection, path: Path) -> None:
    """Keep it for those who ask later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(inspection.as_json()))


def _scan(root: Path) -> tuple[list[InspectedPickle], str | None]:
    command = [sys.executable, "-I", "-S", "-W", "ignore", scan_pickles.__file__, str(root)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=True, env={})
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return [], "its pickles are not known: to read them took more time or memory than may be spent"
    found = json.loads(done.stdout)
    return [_read(told) for told in found["pickles"]], found["fault"]


def _read(told: dict[str, Any]) -> InspectedPickle:
    report = PickleReport(
        protocol=told["protocol"],
        imports=tuple(told["imports"]),
        calls=tuple(told["calls"]),
        versions=tuple((name, version) for name, version in told["versions"]),
        python=tuple(told["python"]),
        fault=told["fault"],
    )
    return InspectedPickle(told["file"], told["size"], report)


def _mismatches(report: PickleReport, installed: Installed) -> Iterator[str]:
    for distribution, made in report.versions:
        there = installed.version(distribution)
        if there is not None and there != made:
            remedy = f"pin {distribution}=={made} in requirements.txt, or export it again with {there}"
            yield f"was made with {distribution} {made}, and its environment has {there}; {remedy}"
    for told in report.python:
        if installed.python and not _fits(told, installed.python):
            remedy = f'write `python: "{_newest(told)}"` in function.yaml, or export it again'
            yield f"holds byte code of Python {told}, and is run by {installed.python}; {remedy}"


def _lacking(report: PickleReport, lacking: Mapping[str, str]) -> Iterator[str]:
    for module in dict.fromkeys(lacking[name] for name in report.foreign if name in lacking):
        yield f"imports {module}, which its environment does not have"


def _refused(pickle: InspectedPickle, policy: PicklePolicy) -> Iterator[str]:
    for name in pickle.report.imports:
        if (line := policy.refusal(name)) is not None:
            yield f"imports {name}, and the host's policy for pickles says {line}"
    if pickle.report.fault:
        yield f"{pickle.report.fault}, {UNHELD}"


def _fits(told: str, version: str) -> bool:
    """Whether byte code of the Python that is told, such as `3.11 or 3.12`, is that of a version."""
    ours = _pair(version)
    ends: Sequence[tuple[int, int]] = [_pair(each) for each in re.findall(r"\d+\.\d+", told)]
    if told.endswith("older"):
        return ours <= ends[0]
    return ends[0] <= ours and (told.endswith("later") or ours <= ends[-1])


def _newest(told: str) -> str:
    return str(re.findall(r"\d+\.\d+", told)[-1])


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
