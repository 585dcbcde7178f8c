"""Deploys a package: unpack, build, start, let `live` point at it; or leave all as it was."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from conf.names import check_name
from functions.base_set import BaseSet, narrow
from functions.byte_code import write_byte_code
from functions.byte_code_store import ByteCodeStore
from functions.environment import BuildOrder, base_interpreter, build_environment
from functions.errors import BuildError, PackageError
from functions.isolation import check_isolation
from functions.manifest import Manifest
from functions.package import Package, open_package, read_stored
from functions.registry import Registry, Revision
from host.access.audit import Actor, Deed
from host.deployment.catalog import Catalog
from host.deployment.files import RevisionFiles
from host.deployment.inspection import InspectionError
from host.deployment.inspector import Inspector, check_warnings
from host.deployment.orders import BY_HOST, Names, Orderer, Prepared, tell_deed
from host.deployment.room import Room
from host.state import StateDir
from runtime.boot import BootError
from runtime.pool import Pool
from runtime.worker.pickle_policy import PicklePolicy

BUILDS_AT_A_TIME = 2
MOST_LINES = 200
LONGEST_LINE = 2000

Line = dict[str, Any]
Tell = Callable[[Line], None]


class DeployError(Exception):
    """A package that was accepted did not become a running revision; what ran before still runs.

    `retryable`: the cause may lie outside of the package, so that the same one may succeed later.
    """

    def __init__(
        self, title: str, detail: str, stack: list[str] | None = None, *, retryable: bool = False
    ) -> None:
        super().__init__(detail)
        self.title = title
        self.stack = stack or []
        self.retryable = retryable
        self.revision = ""  # NAME@NUMBER


@dataclass(frozen=True)
class DeployGrounds:
    """What a deploy works with; `ended` is told the function's name when a deploy has ended, well or not.

    `record` is told what became of each; `pickles` is what pickles in packages may import.
    """

    state: StateDir
    registry: Registry
    files: RevisionFiles
    catalog: Catalog
    byte_code: ByteCodeStore
    room: Room
    ended: Callable[[str], None]
    record: Callable[[Actor, Deed], None]
    pickles: PicklePolicy = field(default_factory=PicklePolicy)


class Deployer:
    """One deploy of a function at a time; two builds at a time in all.

    `base_of` is what the config gives to the function of a name; it may be replaced with the config.
    """

    def __init__(self, grounds: DeployGrounds, base_of: Callable[[str], BaseSet]) -> None:
        self._grounds = grounds
        self._state = grounds.state
        self._registry = grounds.registry
        self._catalog = grounds.catalog
        self._inspector = Inspector(grounds.state, grounds.pickles)
        self.base_of = base_of
        self._builds = asyncio.Semaphore(BUILDS_AT_A_TIME)

    async def prepare(self, source: Path, names: Names, orderer: Orderer = BY_HOST) -> Prepared:
        """Unpack and check a zip; raises PackageError or NoRoomError, or as `permit` does.

        Then nothing of it is left.
        """
        room = self._grounds.room
        await room.check_disk()
        staging = self._state.staging / f"unpack-{time.monotonic_ns()}"
        package = await asyncio.to_thread(open_package, source, staging, room.inside)
        try:
            name = _choose_name(names, package)
            orderer.permit(name)
            base = narrow(self.base_of(name), package.root, package.manifest)
            check_isolation(package.manifest, package.manifest.python or base.python)
            room.check_number(name, self._catalog.functions)
            return Prepared(name, package, staging, base, orderer.actor)
        except Exception:
            await asyncio.to_thread(shutil.rmtree, staging)
            raise

    def is_deployed(self, name: str) -> bool:
        """Whether a revision of this function is in service."""
        return self._live(name) is not None

    def is_current(self, name: str, sha256: str) -> bool:
        """Whether this package is live, in the environment that the config asks for."""
        live = self._live(name)
        return live is not None and live.sha256 == sha256 and live.base == self._base_now(live).text()

    async def prepare_again(self, name: str) -> Prepared | None:
        """The live package, when the config gives it another base set than it had; raises PackageError."""
        live = self._live(name)
        if live is None or (base := self._base_now(live)).text() == live.base:
            return None
        package = await asyncio.to_thread(read_stored, self._state.package(live.sha256), live.sha256)
        return Prepared(name, package, self._state.staging / f"again-{time.monotonic_ns()}", base)

    def _live(self, name: str) -> Revision | None:
        deployed = self._catalog.functions.get(name)
        return deployed.revisions[deployed.live] if deployed and deployed.live is not None else None

    def _base_now(self, revision: Revision) -> BaseSet:
        base = self.base_of(revision.function)
        if base == BaseSet():
            return base
        manifest = Manifest.model_validate_json(revision.manifest_json)
        return narrow(base, self._state.package(revision.sha256), manifest)

    async def deploy(self, prepared: Prepared, tell: Tell) -> Line:
        """Bring a prepared package into service, telling each step; returns the closing line.

        Raises DeployError; then the revision is marked failed, and what was live before is live.
        """
        began = time.monotonic()
        revision: Revision | None = None
        failed: dict[str, str] = {}
        try:
            async with self._catalog.lock(prepared.name):
                revision, unchanged = await self._deploy(prepared, tell)
        except DeployError as error:
            failed = {"revision": error.revision, "reason": error.title}
            raise
        finally:
            deployed = self._catalog.functions.get(prepared.name)
            deed = tell_deed(prepared, revision, deployed.walls if deployed else {})
            self._grounds.record(prepared.actor, replace(deed, **failed))
            await asyncio.to_thread(shutil.rmtree, prepared.staging, ignore_errors=True)
            self._grounds.ended(prepared.name)
        return {
            "type": "done",
            "function": revision.function,
            "revision": revision.number,
            "sha256": revision.sha256,
            "unchanged": unchanged,
            "seconds": round(time.monotonic() - began, 3),
        }

    async def remove(self, name: str) -> None:
        """Take a function away, after a deploy of it that runs; raises UnknownFunctionNameError."""
        async with self._catalog.lock(name):
            await self._catalog.remove(name)

    async def _deploy(self, prepared: Prepared, tell: Tell) -> tuple[Revision, bool]:
        package = prepared.package
        manifest = package.manifest.model_dump_json()
        revision, _ = await asyncio.to_thread(
            self._registry.add_revision, prepared.name, package.sha256, manifest, prepared.base.text()
        )
        live = self._live(revision.function)
        if revision.state == "ready" and live is not None and live.number == revision.number:
            return revision, True
        tell(_step("unpack", f"{revision.function}@{revision.number}, sha256 {package.sha256[:12]}"))
        try:
            if revision.state != "ready":
                await self._build(prepared, revision, tell)
            await self._bring_up(revision, tell)
        except (BuildError, BootError, InspectionError) as error:
            raise await self._fail(revision, error) from None
        except BaseException as error:
            await self._fail(revision, error)
            raise
        return revision, False

    async def _build(self, prepared: Prepared, revision: Revision, tell: Tell) -> None:
        package = prepared.package
        target = await asyncio.to_thread(self._grounds.files.store, package.root, package.sha256)
        package = replace(package, root=target)
        inspection = await self._inspector.inspect(package, prepared.base)
        _tell_lines(tell, "log", inspection.needs())
        requirements = package.requirements + prepared.base.requirements
        what = f"{len(requirements)} requirements" if requirements else "no requirements"
        tell(_step("environment", f"building the environment ({what})"))
        log = self._state.build_log(revision.function, revision.number)
        log.parent.mkdir(parents=True, exist_ok=True)
        boxes = self._catalog.workshop.boxes
        order = BuildOrder(
            target=self._state.environment(revision.function, revision.number),
            log_path=log,
            python=package.manifest.python or prepared.base.python,
            requirements=requirements,
            wheels=package.wheels,
            build=package.manifest.build,
            cache_dir=self._state.uv_cache(),
            adopt=boxes.adopt,
            confinement=boxes.confine_build(revision.function),
        )
        async with self._builds:
            await build_environment(order, lambda line: tell({"type": "log", "line": line}))
            await write_byte_code(base_interpreter(order.target), (target, *self._catalog.workshop.code))
            await asyncio.to_thread(self._grounds.byte_code.link, order.target)
        _tell_lines(tell, "note", (await self._inspector.compare(inspection, package, revision)).lines())
        # uv does not flush what it writes; a revision called ready must survive a power failure.
        await asyncio.to_thread(os.sync)

    async def _bring_up(self, revision: Revision, tell: Tell) -> None:
        tell(_step("start", "starting the pool and probing its health"))
        pool = self._catalog.make_pool(revision)
        try:
            await pool.start()
            _tell_lines(tell, "note", (f"loading it warns: {each}" for each in pool.warnings))
            check_warnings(revision, pool.warnings)
            imported = await pool.list_imported()
            ready = replace(revision, state="ready", error=None)
            await asyncio.to_thread(
                self._registry.set_state, revision.function, revision.number, "ready", None
            )
            before = await _finish(self._catalog.switch(ready, pool))
        except BaseException:
            await pool.stop()
            raise
        tell(_step("switch", f"live is {pool.spec.label}"))
        if before is not None:
            tell(_step("drain", f"{before.spec.label} finishes what it has"))
        environment = self._state.environment(revision.function, revision.number)
        self._grounds.byte_code.begin_keep(pool.spec.program, environment, imported)

    async def _fail(self, revision: Revision, error: BaseException) -> DeployError:
        failure = _explain(error)
        failure.revision = f"{revision.function}@{revision.number}"
        if revision.state == "ready":
            # It ran before: that it does not start now is no reason to build it again.
            return failure
        name, number = revision.function, revision.number
        await asyncio.to_thread(self._registry.set_state, name, number, "failed", str(failure))
        self._catalog.record(replace(revision, state="failed", error=str(failure)))
        return failure


async def _finish(switching: Coroutine[Any, Any, Pool | None]) -> Pool | None:
    """See a switch through that has begun, though its caller is cancelled: the alias may have moved."""
    task = asyncio.ensure_future(switching)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


def _explain(error: BaseException) -> DeployError:
    if isinstance(error, BootError):
        place = f"{error.place}: " if error.place and error.place not in str(error) else ""
        return DeployError("The package does not start", f"{place}{error}", error.stack)
    if isinstance(error, InspectionError):
        return DeployError("The package is refused for its pickles", str(error))
    if isinstance(error, BuildError):
        return DeployError("The environment cannot be built", str(error), retryable=True)
    return DeployError("The deploy was cut off", str(error) or type(error).__name__)


def _choose_name(names: Names, package: Package) -> str:
    name = names.asked or package.manifest.name or names.default or package.default_name
    if not name:
        raise PackageError("the package has no name; give one with --name, or `name:` in function.yaml")
    try:
        return check_name(name)
    except ValueError as error:
        raise PackageError(f"{error}; give another with --name") from None


def _tell_lines(tell: Tell, kind: str, lines: Iterable[str]) -> None:
    """The first of the lines: what a package holds may make as many as it likes."""
    first = list(islice(lines, MOST_LINES + 1))
    if len(first) > MOST_LINES:
        first[MOST_LINES:] = ["and more of the kind; the revision's `inspection` has all of it"]
    for line in first:
        tell({"type": kind, "line": line[:LONGEST_LINE]})


def _step(step: str, message: str) -> Line:
    return {"type": "step", "step": step, "message": message}
