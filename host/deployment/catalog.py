"""The functions of this host: their revisions, what runs them, and which names lead there."""

import asyncio
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass

from functions.registry import Registry, Revision
from host.deployment.additions import Additions
from host.deployment.deployed import LIVE, Deployed
from host.deployment.draining import Draining
from host.deployment.files import RevisionFiles
from host.deployment.pool_maker import PoolMaker, fixed_count
from host.state import StateDir
from runtime.boot import BootError
from runtime.dispatch.dispatcher import Dispatcher
from runtime.events import UnavailableError
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.decisions import Record
from runtime.scaling.scaler import Scaler
from triggers.store.failpoints import Failpoints

logger = logging.getLogger(__name__)


class UnknownFunctionNameError(LookupError):
    """There is no such function."""


class ScaleError(ValueError):
    """A number of instances outside of the function's bounds."""


@dataclass(frozen=True)
class Grounds:
    """What the catalog works with; `additions` are those of the config."""

    state: StateDir
    registry: Registry
    files: RevisionFiles
    workshop: Workshop
    dispatcher: Dispatcher
    scaler: Scaler
    additions: Additions
    failpoints: Failpoints


class Catalog:
    """Owns every pool. All methods run on the host's event loop."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._maker = PoolMaker(grounds.state, grounds.workshop, grounds.scaler, grounds.additions)
        self._stopping = False
        grounds.dispatcher.resolve = self._resolve
        self.functions: dict[str, Deployed] = {}
        self.draining = Draining()
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, name: str) -> asyncio.Lock:
        """Held by whoever changes which revision or pool of a function is live."""
        return self._locks.setdefault(name, asyncio.Lock())

    def load(self) -> None:
        """Read the registry; a revision that was being built when the host died has failed.

        Pools are made when they are needed: a thousand functions that nobody calls are a thousand rows.
        """
        registry = self._grounds.registry
        registry.fail_unfinished("the host stopped while it was deployed")
        for name, stored in registry.functions().items():
            ready = [each.number for each in stored.revisions.values() if each.state == "ready"]
            live = stored.aliases.get(LIVE)
            if live not in ready:
                # The host ended between moving the alias and noting that the revision is ready.
                live = max(ready, default=None)
            self.functions[name] = Deployed(name, stored.revisions, live, instances=stored.instances)
        self.workshop.boxes.keep({*self.functions, *self._grounds.files.written()})

    async def begin(self) -> None:
        """Start the pools that are kept hot, a few at a time: each has its share of the processor."""
        turns = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        hot = [each for each in self.functions.values() if self._maker.is_kept_hot(each)]
        await asyncio.gather(*(self._begin_one(each, turns) for each in hot))

    async def _begin_one(self, deployed: Deployed, turns: asyncio.Semaphore) -> None:
        async with turns:
            try:
                pool = self.open_live(deployed)
            except UnavailableError as error:
                logger.error("%s (its first event tries again)", error)
                return
            if pool is None:
                return
            try:
                await pool.start()
            except BootError as error:
                logger.error("%s does not start (it is tried again): %s", pool.spec.label, error)
                pool.begin()

    async def reconfigure(self, additions: Additions) -> list[str]:
        """Run each function as the config has it by now; returns what could not be done and why.

        A function whose settings changed gets a new pool for the revision that is live, and the old one
        drains; one that does not start leaves the old one in service. What sleeps is started when it is
        needed, and so are other revisions.
        """
        self._maker.additions = additions
        told = []
        for deployed in list(self.functions.values()):
            async with self.lock(deployed.name):
                try:
                    problem = await self._renew_pools(deployed)
                except (OSError, BootError) as error:
                    problem = f"{deployed.name} goes on with its old settings: {error}"
                told += [problem] if problem else []
        return told

    async def _renew_pools(self, deployed: Deployed) -> str | None:
        if deployed.live is None or self.functions.get(deployed.name) is not deployed:
            return None
        self._drop_stale_spares(deployed)
        before = deployed.live_pool
        if before is None and not self._maker.is_kept_hot(deployed):
            return None
        revision = deployed.revisions[deployed.live]
        pool = self.make_pool(revision)
        if before is not None and pool.spec == before.spec:
            return None
        if before is None or pool.is_kept_hot or not before.is_asleep:
            return await self._start_instead(revision, pool)
        self._install(deployed, pool)
        self.draining.begin(before)
        return None

    def _drop_stale_spares(self, deployed: Deployed) -> None:
        for number, pool in list(deployed.pools.items()):
            if number != deployed.live and pool.spec != self._maker.spare_spec(deployed.revisions[number]):
                self._drop(deployed, number)

    async def _start_instead(self, revision: Revision, pool: Pool) -> str | None:
        try:
            await pool.start()
            await self.switch(revision, pool)
        except BootError as error:
            await pool.stop()
            return f"{pool.spec.label} does not start with its new settings and goes on with the old: {error}"
        except BaseException:
            await pool.stop()
            raise
        return None

    def get(self, name: str) -> Deployed:
        """The function; raises UnknownFunctionNameError."""
        if name not in self.functions:
            raise UnknownFunctionNameError(
                f"there is no function {name!r}; `fnhost list` shows those there are"
            )
        return self.functions[name]

    @property
    def workshop(self) -> Workshop:
        """What every arbiter is started with."""
        return self._grounds.workshop

    def open_live(self, deployed: Deployed) -> Pool | None:
        """The live revision's pool, None when nothing is live; raises UnavailableError if none can be had."""
        return None if deployed.live is None else self._open(deployed, deployed.live)

    def _open(self, deployed: Deployed, number: int) -> Pool:
        if (pool := deployed.pools.get(number)) is None:
            pool = self._maker.make_for_event(deployed, number)
            self._install(deployed, pool)
        return pool

    def _resolve(self, target: str) -> Pool | None:
        name, _, reference = target.partition("@")
        deployed = self.functions.get(name)
        if deployed is None:
            return None
        if self._stopping:
            raise UnavailableError(f"{name} is stopping; try again")
        number = deployed.live if target == name else deployed.number(reference)
        return None if number is None else self._open(deployed, number)

    def make_pool(self, revision: Revision) -> Pool:
        """A cold pool for a revision; raises OSError without its folder, BootError without its secrets."""
        return self._maker.make(revision, self.functions.get(revision.function))

    def record(self, revision: Revision) -> Deployed:
        """Note a revision as it is by now."""
        deployed = self.functions.setdefault(revision.function, Deployed(revision.function))
        deployed.revisions[revision.number] = revision
        return deployed

    async def switch(self, revision: Revision, pool: Pool) -> Pool | None:
        """Let `live` point at a pool that answers; the pool before it is returned, and drains by itself."""
        deployed = self.record(revision)
        await asyncio.to_thread(self._grounds.registry.set_alias, deployed.name, LIVE, revision.number)
        was, before = deployed.live, deployed.live_pool
        stale = deployed.pools.get(revision.number)
        deployed.live = revision.number
        self._install(deployed, pool)
        # Another number of instances may have been told while this pool started.
        pool.scale(fixed_count(deployed, pool.spec))
        if was is not None:
            self._grounds.failpoints.reach("deploy.switched")
        if stale is not None and stale is not pool:
            self.draining.begin(stale)
        if before is not None and before is not pool and before is not stale:
            # Its number may still be asked for: then a new pool takes its place.
            self._drop(deployed, before.spec.revision)
        return before

    async def scale(self, name: str, instances: int | None) -> int | None:
        """Fix the number of instances at run time, or with None have the load decide again.

        With 0 there is none until an event comes. Raises ScaleError for more than the function may have.
        """
        deployed = self.get(name)
        pool = self.open_live(deployed)
        if pool is None:
            raise ScaleError(f"{name} has no revision that runs; deploy its package again")
        most = pool.spec.scale.max
        if instances is not None and not 0 <= instances <= most:
            raise ScaleError(
                f"{name} may have 0 to {most} instances (`scale:` in function.yaml), not {instances}"
            )
        await asyncio.to_thread(self._grounds.registry.set_instances, name, instances)
        deployed.instances = instances
        # A deploy may have switched to another pool meanwhile; one that has not yet asks when it does.
        if (pool := deployed.live_pool) is not None:
            pool.scale(fixed_count(deployed, pool.spec))
        return instances

    def decisions(self, name: str) -> list[Record]:
        """The last decisions about the instances of a function, newest last."""
        pool = self.get(name).live_pool
        return self._grounds.scaler.why(pool) if pool else []

    async def remove(self, name: str) -> None:
        """Take a function away: its names at once, its pools when they have finished, its files at last."""
        deployed = self.get(name)
        await asyncio.to_thread(self._grounds.registry.remove, name)
        self.functions.pop(name, None)
        for pool in deployed.pools.values():
            self._grounds.dispatcher.forget(pool)
            self.draining.begin(pool)
        await self.draining.wait_for(name)
        await asyncio.to_thread(self._delete_files, name)

    def crowded(self, keep: int) -> list[str]:
        """The functions with more than `keep` revisions besides the live one, ready or failed."""
        return [each.name for each in self.functions.values() if each.old(keep)]

    def drop_old(self, name: str, keep: int, awaited: Collection[str]) -> list[int]:
        """Forget the revisions of a function but the live one and those kept; returns which.

        Those in `awaited` stay, and those with a process or with events in memory.
        """
        deployed = self.functions.get(name)
        if deployed is None:
            return []
        busy = {*awaited, *self.draining.labels}
        old = [number for number in deployed.old(keep) if f"{name}@{number}" not in busy]
        pools = deployed.pools
        old = [number for number in old if number not in pools or pools[number].is_asleep]
        for number in old:
            del deployed.revisions[number]
            if number in pools:
                self._drop(deployed, number)
        return old

    async def stop(self) -> None:
        """Let every pool finish what it has, then end it."""
        self._stopping = True
        pools = [pool for deployed in self.functions.values() for pool in deployed.pools.values()]
        await self.draining.finish(pools)

    def _install(self, deployed: Deployed, pool: Pool) -> None:
        deployed.pools[pool.spec.revision] = pool
        route = self._grounds.dispatcher.route
        route(pool.spec.label, pool)
        if pool.spec.revision == deployed.live:
            route(deployed.name, pool)
            route(f"{deployed.name}@{LIVE}", pool)

    def _drop(self, deployed: Deployed, number: int) -> None:
        pool = deployed.pools.pop(number)
        self._grounds.dispatcher.forget(pool)
        self.draining.begin(pool)

    def _delete_files(self, name: str) -> None:
        files = self._grounds.files
        if files.delete_output(name):
            self.workshop.boxes.forget(name)
        files.delete(files.set_aside(name, self.draining.packages))
