"""Everything that a deploy would say of a package, as far as it can be known without a host."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conf.models import Config
from conf.names import check_name
from functions.archive import Limits
from functions.base_set import BaseSet
from functions.environment import BuildLog, Uv, clean_environment
from functions.errors import BuildError, PackageError
from functions.imports import missing_imports
from functions.interpreters import find_python
from functions.isolation import check_isolation
from functions.package import Package, open_package, pack_folder
from functions.requirements import REQUIREMENTS
from functions.syntax import check_syntax
from host.authoring.entry_search import entry_fault
from host.authoring.faults import AuthoringError
from host.authoring.foresight import base_for, inspect_before
from host.authoring.samples import read_samples
from host.deployment.additions import Additions
from host.deployment.inspection import Inspection
from host.full_disk import tell_scratch
from runtime.boot import BootError

MOST_NAMED = 5


@dataclass
class Findings:
    """`refused` is why no host would take the package, `notes` is advice, `unchecked` what is not known."""

    package: str
    name: str | None = None
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    inspection: Inspection | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        inspection = self.inspection.as_json() if self.inspection else None
        told = {"package": self.package, "name": self.name, "refused": self.refused}
        return {**told, "notes": self.notes, "unchecked": self.unchecked, "inspection": inspection}


def examine(path: Path, config: Config, is_given: bool) -> Findings:
    """Look at a zip or a folder; `is_given` tells that the config is that of a host, and no default."""
    findings = Findings(str(path))
    with TemporaryDirectory(prefix="fnhost-") as folder:
        try:
            package = _open(path, Path(folder), config)
        except PackageError as error:
            findings.refused.append(str(error))
            return findings
        except OSError as error:
            findings.refused.append(tell_scratch(error))
            return findings
        _Examiner(package, config, findings).examine(path, is_given)
    return findings


def _open(path: Path, folder: Path, config: Config) -> Package:
    zipped = path
    if path.is_dir():
        zipped = folder / "package.zip"
        pack_folder(path.resolve(), zipped)
    check_size(zipped, config)
    return open_package(zipped, folder / "package", Limits.of(config.limits))


def check_size(zipped: Path, config: Config) -> None:
    """Raise PackageError for a zip that is larger than a host takes."""
    size, most = zipped.stat().st_size, config.limits.package
    if size > most:
        raise PackageError(f"the zip has {size:,} bytes; a host takes {most:,} at most (`limits.package`)")


class _Examiner:
    """One package, looked at from all sides."""

    def __init__(self, package: Package, config: Config, findings: Findings) -> None:
        self._package = package
        self._manifest = package.manifest
        self._config = config
        self._findings = findings

    def examine(self, path: Path, is_given: bool) -> None:
        self._look_at_name(path)
        name = self._findings.name or ""
        base = base_for(self._package, name, self._config)
        self._look_at_code()
        self._look_at_pickles(base)
        self._look_at_environment(base)
        self._look_at_secrets(name, is_given)
        self._look_at_samples()

    def _look_at_name(self, path: Path) -> None:
        whole = path.resolve()
        told = self._manifest.name or (whole.name if whole.is_dir() else whole.stem)
        try:
            self._findings.name = check_name(told)
        except ValueError as error:
            self._findings.refused.append(f"{error}; write `name:` in function.yaml")

    def _look_at_code(self) -> None:
        fault, unknown = entry_fault(self._package.root, self._manifest)
        self._findings.refused += [fault] if fault else []
        self._findings.unchecked += [unknown] if unknown else []
        self._findings.notes += self._syntax_notes()

    def _syntax_notes(self) -> Iterator[str]:
        """Of the modules beside the entry's, whose fault is found when they are imported."""
        root = self._package.root
        for source in sorted(root.rglob("*.py")):
            try:
                check_syntax(root, source, self._manifest.python)
            except PackageError as error:
                yield f"{error}; importing it fails"

    def _look_at_pickles(self, base: BaseSet) -> None:
        inspection = inspect_before(self._package, base, self._config)
        self._findings.inspection = inspection
        self._findings.notes += inspection.lines()
        refusals = [inspection.refusal, inspection.mismatch if self._manifest.strict_versions else None]
        self._findings.refused += [each for each in refusals if each]

    def _look_at_environment(self, base: BaseSet) -> None:
        python = self._manifest.python or base.python
        requirements = (*self._package.requirements, *base.requirements)
        try:
            check_isolation(self._manifest, python)
        except PackageError as error:
            self._findings.refused.append(str(error))
        try:
            asyncio.run(self._resolve(python, requirements))
        except BuildError as error:
            is_ours = self._package.wheels is not None and "is not installed here" not in str(error)
            (self._findings.refused if is_ours else self._findings.notes).append(str(error))
        if not (requirements or self._package.wheels or (self._package.root / REQUIREMENTS).exists()):
            self._findings.notes += (
                f"{each.where} imports {each.module}, which nothing provides; list {each.distribution} in"
                f" {REQUIREMENTS}"
                for each in missing_imports(self._package.root, requirements)
            )

    async def _resolve(self, python: str | None, requirements: tuple[str, ...]) -> None:
        """Whether the wheels of the package are enough; an index is not asked."""
        program = await find_python(python, clean_environment(os.environ))
        wheels = self._package.wheels
        if not requirements:
            return
        if wheels is None:
            told = ", ".join(requirements[:MOST_NAMED]) + (", …" if len(requirements) > MOST_NAMED else "")
            self._findings.unchecked.append(f"whether an index has the requirements: {told}")
            return
        await _resolve_offline(program, requirements, wheels)

    def _look_at_secrets(self, name: str, is_given: bool) -> None:
        if not (secrets := self._manifest.secrets):
            return
        if not is_given:
            told = ", ".join(secrets)
            self._findings.unchecked.append(f"whether the host has the secrets {told}; see with --config")
            return
        try:
            Additions.of(self._config).secrets_of(name, secrets)
        except BootError as error:
            self._findings.refused.append(str(error))

    def _look_at_samples(self) -> None:
        try:
            if not read_samples(self._package.root):
                self._findings.notes.append("it has no samples/*.json, which `fnhost test` would run")
        except AuthoringError as error:
            self._findings.notes.append(str(error).replace(f"{self._package.root}/", ""))


async def _resolve_offline(python: Path, requirements: tuple[str, ...], wheels: Path) -> None:
    """Raise BuildError where these wheels do not satisfy the requirements."""
    with TemporaryDirectory(prefix="fnhost-") as folder:
        listing, log = Path(folder) / REQUIREMENTS, BuildLog(Path(folder) / "log", lambda line: None)
        listing.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
        options = ["--offline", "--no-index", "--find-links", str(wheels), "--only-binary", ":all:"]
        options += ["--no-python-downloads", "--color", "never", "--no-progress", "--no-header", "--quiet"]
        try:
            uv = Uv(clean_environment(os.environ), log)
            await uv.run(["pip", "compile", "--python", str(python), *options, str(listing)])
        finally:
            log.close()
