"""The functions of this host: their revisions, what runs them, and which names lead there."""

import asyncio
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from conf.models import Func
from functions.registry import Registry, Revision
from host.deployment.specs import make_spec
from host.state import StateDir
from runtime.boot import BootError
from runtime.decisions import Record
from runtime.dispatcher import Dispatcher
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaler import Scaler
from runtime.spec import PoolSpec
from triggers.delivery.failpoints import Failpoints

logger = logging.getLogger(__name__)

LIVE = "live"
DRAIN_MARGIN = 5.0


class UnknownFunctionNameError(LookupError):
    """There is no such function."""


class ScaleError(ValueError):
    """A number of instances outside of the function's bounds."""


@dataclass
class Deployed:
    """One function: its revisions by number, the live one, the pools that exist, and the run-time scale."""

    name: str
    revisions: dict[int, Revision] = field(default_factory=dict)
    live: int | None = None
    pools: dict[int, Pool] = field(default_factory=dict)
    instances: int | None = None

    @property
    def live_pool(self) -> Pool | None:
        """The pool of the live revision."""
        return self.pools.get(self.live) if self.live is not None else None


@dataclass(frozen=True)
class Grounds:
    """What the catalog works with; `overrides` is what the config says of each function by name."""

    state: StateDir
    registry: Registry
    workshop: Workshop
    dispatcher: Dispatcher
    scaler: Scaler
    overrides: Mapping[str, Func]
    failpoints: Failpoints


class Catalog:
    """Owns every pool. All methods run on the host's event loop."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._overrides = grounds.overrides
        self.functions: dict[str, Deployed] = {}
        self._draining: set[asyncio.Task[None]] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, name: str) -> asyncio.Lock:
        """Held by whoever changes which revision or pool of a function is live."""
        return self._locks.setdefault(name, asyncio.Lock())

    def load(self) -> None:
        """Read the registry; a revision that was being built when the host died has failed."""
        registry = self._grounds.registry
        for name in registry.functions():
            deployed = Deployed(name, instances=registry.instances(name))
            for revision in registry.revisions(name):
                if revision.state == "building":
                    registry.set_state(
                        name, revision.number, "failed", "the host stopped while it was deployed"
                    )
                    revision = replace(
                        revision, state="failed", error="the host stopped while it was deployed"
                    )
                deployed.revisions[revision.number] = revision
            deployed.live = registry.alias(name, LIVE)
            self.functions[name] = deployed
            ready = [each for each in deployed.revisions.values() if each.state == "ready"]
            if deployed.live not in [each.number for each in ready]:
                # The host ended between moving the alias and noting that the revision is ready.
                deployed.live = max((each.number for each in ready), default=None)
            for revision in ready:
                is_live = revision.number == deployed.live
                self._install(deployed, self.make_pool(revision) if is_live else self._spare_pool(revision))
            self._route_live(deployed)

    async def begin(self) -> None:
        """Start the live pools, a few at a time, so that each has its share of the processor."""
        turns = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        await asyncio.gather(*(self._begin_one(each, turns) for each in list(self.functions.values())))

    async def _begin_one(self, deployed: Deployed, turns: asyncio.Semaphore) -> None:
        async with turns:
            pool = deployed.live_pool
            if pool is None or not pool.is_kept_hot:
                return
            try:
                await pool.start()
            except BootError as error:
                logger.error("%s does not start (it is tried again): %s", pool.spec.label, error)

    async def reconfigure(self, overrides: Mapping[str, Func]) -> list[str]:
        """Run each function as the config has it by now; returns what could not be done and why.

        A function whose settings changed gets a new pool for the revision that is live, and the old one
        drains; one that does not start leaves the old one in service.
        """
        self._overrides = overrides
        told = []
        for deployed in list(self.functions.values()):
            async with self.lock(deployed.name):
                if (problem := await self._renew_pool(deployed)) is not None:
                    told.append(problem)
        return told

    async def _renew_pool(self, deployed: Deployed) -> str | None:
        before = deployed.live_pool
        is_there = self.functions.get(deployed.name) is deployed
        if before is None or deployed.live is None or not is_there:
            return None
        revision = deployed.revisions[deployed.live]
        pool = self.make_pool(revision)
        if pool.spec == before.spec:
            return None
        try:
            await pool.start()
            await self.switch(revision, pool)
        except BootError as error:
            await pool.stop()
            return f"{pool.spec.label} does not start with its new settings and goes on with the old: {error}"
        except BaseException:
            await pool.stop()
            raise
        pool.begin()
        return None

    def get(self, name: str) -> Deployed:
        """The function; raises UnknownFunctionNameError."""
        if name not in self.functions:
            raise UnknownFunctionNameError(
                f"there is no function {name!r}; `fnhost list` shows those there are"
            )
        return self.functions[name]

    @property
    def arbiter_code(self) -> tuple[Path, ...]:
        """The folders that every arbiter imports from."""
        return self._grounds.workshop.code

    def make_pool(self, revision: Revision) -> Pool:
        """A cold pool for a revision."""
        spec = make_spec(revision, self._grounds.state, self._overrides.get(revision.function))
        deployed = self.functions.get(revision.function)
        fixed = deployed.instances if deployed else None
        return self._pool(spec, None if fixed is None else min(fixed, spec.scale.max))

    def _spare_pool(self, revision: Revision) -> Pool:
        """A pool for a revision that is not live: started when it is asked for, and no longer kept."""
        spec = make_spec(revision, self._grounds.state, self._overrides.get(revision.function))
        return self._pool(replace(spec, scale=replace(spec.scale, min=0)), None)

    def _pool(self, spec: PoolSpec, fixed: int | None) -> Pool:
        return Pool(spec, self._grounds.workshop, self._grounds.scaler, fixed)

    def record(self, revision: Revision) -> Deployed:
        """Note a revision as it is by now."""
        deployed = self.functions.setdefault(revision.function, Deployed(revision.function))
        deployed.revisions[revision.number] = revision
        return deployed

    async def switch(self, revision: Revision, pool: Pool) -> Pool | None:
        """Let `live` point at a pool that answers; the pool before it is returned, and drains by itself."""
        deployed = self.record(revision)
        await asyncio.to_thread(self._grounds.registry.set_alias, deployed.name, LIVE, revision.number)
        before = deployed.live_pool
        stale = deployed.pools.get(revision.number)
        deployed.live = revision.number
        self._install(deployed, pool)
        self._route_live(deployed)
        if before is not None:
            self._grounds.failpoints.reach("deploy.switched")
        if stale is not None and stale is not pool:
            self._drain(stale)
        if before is not None and before is not pool and before is not stale:
            # Its number may still be asked for: a cold pool takes its place, and starts when it is.
            self._install(deployed, self._spare_pool(deployed.revisions[before.spec.revision]))
            self._drain(before)
        return before

    async def scale(self, name: str, instances: int | None) -> int | None:
        """Fix the number of instances at run time, or with None have the load decide again.

        With 0 there is none until an event comes. Raises ScaleError for more than the function may have.
        """
        deployed = self.get(name)
        pool = deployed.live_pool
        if pool is None:
            raise ScaleError(f"{name} has no revision that runs")
        most = pool.spec.scale.max
        if instances is not None and not 0 <= instances <= most:
            raise ScaleError(
                f"{name} may have 0 to {most} instances (`scale:` in function.yaml), not {instances}"
            )
        await asyncio.to_thread(self._grounds.registry.set_instances, name, instances)
        deployed.instances = instances
        pool.scale(instances)
        return instances

    def decisions(self, name: str) -> list[Record]:
        """The last decisions about the instances of a function, newest last."""
        pool = self.get(name).live_pool
        return self._grounds.scaler.why(pool) if pool is not None else []

    async def remove(self, name: str) -> None:
        """Take a function away: its names at once, its pools when they have finished, its files at last."""
        deployed = self.get(name)
        del self.functions[name]
        await asyncio.to_thread(self._grounds.registry.remove, name)
        for pool in deployed.pools.values():
            self._grounds.dispatcher.forget(pool)
        await asyncio.gather(
            *(pool.drain(pool.spec.timeout + DRAIN_MARGIN) for pool in deployed.pools.values())
        )
        await asyncio.to_thread(self._delete_files, deployed)

    async def stop(self) -> None:
        """Let every pool finish what it has, then end it."""
        pools = [pool for deployed in self.functions.values() for pool in deployed.pools.values()]
        await asyncio.gather(*(pool.drain(min(20.0, pool.spec.timeout)) for pool in pools), *self._draining)

    def _install(self, deployed: Deployed, pool: Pool) -> None:
        deployed.pools[pool.spec.revision] = pool
        self._grounds.dispatcher.route(pool.spec.label, pool)

    def _route_live(self, deployed: Deployed) -> None:
        if pool := deployed.live_pool:
            self._grounds.dispatcher.route(deployed.name, pool)
            self._grounds.dispatcher.route(f"{deployed.name}@{LIVE}", pool)

    def _drain(self, pool: Pool) -> None:
        task = asyncio.get_running_loop().create_task(pool.drain(pool.spec.timeout + DRAIN_MARGIN))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    def _delete_files(self, deployed: Deployed) -> None:
        state = self._grounds.state
        for folder in (state.environments / deployed.name, state.output / deployed.name):
            shutil.rmtree(folder, ignore_errors=True)
        used = {each.sha256 for other in self.functions.values() for each in other.revisions.values()}
        for revision in deployed.revisions.values():
            if revision.sha256 not in used:
                shutil.rmtree(state.package(revision.sha256), ignore_errors=True)
