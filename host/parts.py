"""The host's own parts: thin shells that give each piece its place in the lifecycle."""

import asyncio
import logging

from functions.registry import Registry
from host.deployment.catalog import Catalog
from host.deployment.collector import Collector
from host.deployment.downloads import Downloads
from host.deployment.tasks import DeployTasks
from host.health import Health
from host.lifecycle import Part
from host.logs.store import LogStore
from runtime.leftovers import kill_leftovers
from runtime.process import Workshop

logger = logging.getLogger(__name__)


class FunctionsPart(Part):
    """The catalog and all its pools."""

    name = "functions"
    priority = 200
    stop_limit = 60.0

    def __init__(
        self, catalog: Catalog, collector: Collector, registry: Registry, workshop: Workshop
    ) -> None:
        self._catalog = catalog
        self._collector = collector
        self._registry = registry
        self._workshop = workshop
        self._beginning: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """Clear what an earlier life left running, and read what is deployed."""
        if found := await asyncio.to_thread(self._clear):
            fields = {"event": "leftovers.killed", "processes": found}
            logger.warning(
                "killed %d processes that an earlier run of this host left behind", found, extra=fields
            )
        self._catalog.load()

    def _clear(self) -> int:
        return kill_leftovers(self._workshop.owner) + self._workshop.boxes.clear()

    async def start(self) -> None:
        """Start the pools in the background; events that come before they are ready wait in their queues."""
        self._beginning = asyncio.create_task(self._catalog.begin())
        self._collector.begin_all()

    async def stop(self) -> None:
        """Let the pools finish, then end them."""
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)
        await self._collector.stop()
        await self._catalog.stop()
        await asyncio.to_thread(self._registry.close)


class LogsPart(Part):
    """The log store: it stops last, so that the others' last lines are kept."""

    name = "logs"
    priority = 100

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs

    async def stop(self) -> None:
        """Write what is left."""
        await self._logs.close()


class DeploysPart(Part):
    """The packages that the config names: brought into service from the start on."""

    name = "deploys"
    priority = 300

    def __init__(self, downloads: Downloads) -> None:
        self.downloads = downloads
        self._task: asyncio.Task[None] | None = None

    async def tried(self) -> None:
        """Return when the packages of the config that is in force were tried, or after a minute."""
        while not (downloads := self.downloads).done.is_set() or downloads is not self.downloads:
            await downloads.done.wait()

    def why(self, name: str) -> str | None:
        """What keeps the package that the config names for a function from service."""
        return self.downloads.why(name)

    async def start(self) -> None:
        """Begin with the config's packages."""
        self._task = asyncio.create_task(self.downloads.run())

    async def replace(self, downloads: Downloads) -> None:
        """Bring the packages of another config into service; what was not finished is taken up there."""
        # Named first: who waits for the old ones to be tried goes on to wait for these.
        self.downloads = downloads
        await self._cut_off()
        await self.start()

    async def stop(self) -> None:
        """Cut off."""
        await self._cut_off()

    async def _cut_off(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class ReadyPart(Part):
    """Says that the host is up, once all other parts are, and that it is going, before any of them stops."""

    name = "readiness"
    priority = 1000

    def __init__(self, health: Health, tasks: DeployTasks, logs: LogStore) -> None:
        self._health = health
        self._tasks = tasks
        self._logs = logs

    async def start(self) -> None:
        """All parts run."""
        self._health.started = True

    async def stop(self) -> None:
        """The parts are about to stop; callers who would keep the web part waiting are let go."""
        self._health.started = False
        self._logs.end_followers()
        await self._tasks.stop()
