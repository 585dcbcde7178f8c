"""Brings the packages of the config's functions into service, and keeps at it until each is there."""

import asyncio
import logging
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from functions.entry_package import EntryOrder, pack_entry
from functions.errors import PackageError
from functions.fetch_order import FetchError, FetchOrder
from functions.package import pack_folder, sha256_of
from host.deployment.deployer import Deployer, DeployError, Line
from host.deployment.orders import Names
from host.deployment.room import NoRoomError
from host.deployment.sources import Refused, Source
from host.state import StateDir

logger = logging.getLogger(__name__)

AT_A_TIME = 4
FIRST_PAUSE = 5.0  # seconds until a function is tried again; doubled each time
LONGEST_PAUSE = 300.0
LONGEST_WAIT = 60.0  # seconds after which nobody waits for a first try any longer


class Downloads:
    """The functions of the config by name, each with its source.

    `done` is set once every one was tried, or after a minute. An address is not waited for where a revision
    of the function is in service: that one goes on while its successor is fetched.
    """

    def __init__(self, sources: Mapping[str, Source], state: StateDir, deployer: Deployer) -> None:
        self.done = asyncio.Event()
        self._sources = sources
        self._state = state
        self._deployer = deployer
        self._awaited: set[str] = set()
        self._errors: dict[str, str] = {}
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._locks: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)

    def why(self, name: str) -> str | None:
        """Why the package that the config names is not in service; None when it is, or none is named."""
        if name in self._errors or name not in self._sources:
            return self._errors.get(name)
        source = self._sources[name]
        if self._deployer.is_deployed(name):
            return None
        if isinstance(source, FetchOrder):
            return f"it is being fetched from {source.shown_url}"
        if isinstance(source, Path | EntryOrder):
            return f"it is being deployed from {source}"
        return (
            f"it is in the config but not deployed; `fnhost deploy {name}.zip`,"
            " or let the host fetch its modelAddress with `download: true`"
        )

    async def run(self) -> None:
        """Try all at once; return when each is in service or given up for good. To be called once."""
        self._awaited = {name for name in self._sources if self._is_waited_for(name)}
        timer = asyncio.get_running_loop().call_later(LONGEST_WAIT, self.done.set)
        try:
            await self._tidy()
            self._set_done_if_tried()
            tasks = [asyncio.create_task(self._keep_at(name), name=name) for name in self._sources]
            for task in tasks:
                task.add_done_callback(_report)
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            timer.cancel()
            self.done.set()

    async def _tidy(self) -> None:
        try:
            await asyncio.to_thread(self._clear)
        except OSError as error:
            logger.warning("what was fetched earlier cannot be deleted: %s", error)

    def _is_waited_for(self, name: str) -> bool:
        return not (isinstance(self._sources[name], FetchOrder) and self._deployer.is_deployed(name))

    def _set_done_if_tried(self) -> None:
        if not self._awaited:
            self.done.set()

    def _clear(self) -> None:
        """Delete fetched zips that no function asks for any more, and what is left of them."""
        orders = [source for source in self._sources.values() if isinstance(source, FetchOrder)]
        wanted = {order.target.stem for order in orders}
        for path in self._state.downloads.iterdir():
            if path.is_file() and path.name.partition(".")[0] not in wanted:
                path.unlink(missing_ok=True)

    async def _keep_at(self, name: str) -> None:
        failures = 0
        while (error := await self._try(name)) and _is_worth_a_retry(error, self._sources[name]):
            pause = _pause(error, failures)
            failures += 1
            await asyncio.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311 - jitter

    async def _try(self, name: str) -> Exception | None:
        try:
            await self._bring(name, self._sources[name])
        except (FetchError, PackageError, NoRoomError, DeployError, OSError, sqlite3.Error) as error:
            self._note(name, str(error))
            return error
        finally:
            self._awaited.discard(name)
            self._set_done_if_tried()
        self._errors.pop(name, None)
        return None

    def _note(self, name: str, reason: str) -> None:
        if self._errors.get(name) != reason:
            logger.error("%s: %s", name, reason, extra={"event": "package.missing", "function": name})
        self._errors[name] = reason

    async def _bring(self, name: str, source: Source) -> None:
        if isinstance(source, Refused):
            raise PackageError(source.reason)
        if source is None:
            await self._renew(name)
        elif isinstance(source, Path | EntryOrder):
            async with self._turns, self._packed(source) as zipped:
                await self._deploy(name, zipped, str(source))
        else:
            # Imported by those who fetch: httpx takes a tenth of the host's time to start, and some MiB.
            from functions.download import fetch

            # The lock first: who waits for another's fetch of the same file takes no turn.
            async with self._locks[source.target], self._turns:
                await fetch(source, lambda line: self._note(name, line))
                await self._deploy(name, source.target, source.shown_url)

    async def _renew(self, name: str) -> None:
        """Use what is deployed; build it again when the config has changed what it gives to it."""
        if not self._deployer.is_deployed(name):
            logger.warning(
                "%s: %s", name, self.why(name), extra={"event": "package.missing", "function": name}
            )
        elif (prepared := await self._deployer.prepare_again(name)) is not None:
            async with self._turns:
                await self._deployer.deploy(prepared, _log_step)

    @asynccontextmanager
    async def _packed(self, source: Path | EntryOrder) -> AsyncIterator[Path]:
        if isinstance(source, Path) and not await asyncio.to_thread(source.is_dir):
            yield source
            return
        packed = self._state.staging / f"packed-{time.monotonic_ns()}.zip"
        try:
            await asyncio.to_thread(_pack, source, packed)
            yield packed
        finally:
            await asyncio.to_thread(packed.unlink, missing_ok=True)

    async def _deploy(self, name: str, zipped: Path, origin: str) -> None:
        if self._deployer.is_current(name, await asyncio.to_thread(sha256_of, zipped)):
            return
        prepared = await self._deployer.prepare(zipped, Names(asked=name))
        done = await self._deployer.deploy(prepared, _log_step)
        fields = {"event": "deployed", "function": name, "revision": done["revision"], "origin": origin}
        logger.info("%s@%s is deployed from %s", name, done["revision"], origin, extra=fields)


def _pack(source: Path | EntryOrder, target: Path) -> None:
    if isinstance(source, EntryOrder):
        pack_entry(source, target)
    else:
        pack_folder(source, target)


def _is_worth_a_retry(error: Exception, source: Source) -> bool:
    if isinstance(error, PackageError):
        # The same digests are the same package, and a path changes only with the user.
        return isinstance(source, FetchOrder) and not (source.md5 or source.sha256)
    return error.retryable if isinstance(error, DeployError) else True


def _pause(error: Exception, failures: int) -> float:
    if isinstance(error, FetchError) and not error.retryable:
        return LONGEST_PAUSE
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 16))


def _report(task: asyncio.Task[None]) -> None:
    """An error of ours ends the care for this function only, and is told while the others go on."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s is given up", task.get_name(), exc_info=error)


def _log_step(line: Line) -> None:
    if line["type"] == "step":
        logger.info("%s: %s", line["step"], line["message"])
