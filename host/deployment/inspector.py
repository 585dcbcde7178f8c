"""Looks into packages while they are deployed; the host's policy, or their own manifest, may refuse them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from functions.base_set import BaseSet
from functions.installed import read_environment
from functions.manifest import Manifest
from functions.package import Package
from functions.registry import Revision
from host.deployment.inspection import (
    Inspection,
    InspectionError,
    compare,
    inspect_package,
    judge,
    write_inspection,
)
from host.state import StateDir
from runtime.boot import LoadWarning
from runtime.worker.pickle_policy import PicklePolicy

STRICT = "(`strict_versions` in function.yaml)"


@dataclass(frozen=True)
class Inspector:
    """Looks twice: at the package alone, and once its environment is there."""

    state: StateDir
    policy: PicklePolicy

    async def inspect(self, package: Package, base: BaseSet) -> Inspection:
        """What stands in the package; raises InspectionError for imports that the policy refuses."""
        inspection = await asyncio.to_thread(self._look, package, base)
        if (refusal := inspection.refusal) is not None:
            raise InspectionError(refusal)
        return inspection

    async def compare(self, inspection: Inspection, package: Package, revision: Revision) -> Inspection:
        """Hold it against what was installed, and keep it with the revision.

        Raises InspectionError where versions differ and the package says `strict_versions`.
        """
        inspection = await asyncio.to_thread(self._hold, inspection, package, revision)
        if package.manifest.strict_versions and (mismatch := inspection.mismatch) is not None:
            raise InspectionError(f"{mismatch} {STRICT}")
        return inspection

    def _look(self, package: Package, base: BaseSet) -> Inspection:
        return judge(inspect_package(package, base), self.policy)

    def _hold(self, inspection: Inspection, package: Package, revision: Revision) -> Inspection:
        own = (package.root, *map(Path, package.manifest.python_path))
        environment = self.state.environment(revision.function, revision.number)
        inspection = compare(inspection, read_environment(environment, own))
        write_inspection(inspection, self.state.inspection(revision.function, revision.number))
        return inspection


def check_warnings(revision: Revision, warnings: Iterable[LoadWarning]) -> None:
    """Raise InspectionError where a model of another version was loaded, and the package says it may not."""
    wrong = next((each for each in warnings if each.made), None)
    if wrong is not None and Manifest.model_validate_json(revision.manifest_json).strict_versions:
        raise InspectionError(f"{wrong} {STRICT}")
