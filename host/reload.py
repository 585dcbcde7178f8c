"""Goes over to another config while the host runs: what is the same in both does not notice."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from conf.faults import ConfigError, Fault
from conf.load import load_config
from conf.models import Config
from conf.settings import Settings
from conf.special_files import is_special
from host.bridges import BridgesPart, make_limit
from host.changes import describe_changes
from host.deployment.additions import Additions
from host.deployment.catalog import Catalog
from host.deployment.collector import Collector
from host.deployment.deployer import Deployer
from host.deployment.downloads import Downloads
from host.deployment.room import Room
from host.deployment.sources import find_bases, find_sources
from host.logs.store import LogStore
from host.mqtt import MqttPart
from host.parts import DeploysPart
from host.state import StateDir
from host.timers import TimersPart
from host.web.edge import Edge
from runtime.ratelimit import RateLimit
from triggers.http import HttpTrigger

logger = logging.getLogger(__name__)

CONNECTED = ("mqtts", "rules", "funcs", "timers")


class NoConfigError(Exception):
    """The host was started without a config file, and none was named."""


@dataclass(frozen=True)
class Running:
    """What goes over to another config. `rates` is what the dispatch looks at."""

    state: StateDir
    catalog: Catalog
    collector: Collector
    room: Room
    logs: LogStore
    deployer: Deployer
    deploys: DeploysPart
    mqtt: MqttPart
    timers: TimersPart
    bridges: BridgesPart
    trigger: HttpTrigger
    rates: dict[str, RateLimit]
    edge: Edge


class Reloader:
    """Owns the settings that are in force; `listeners` are told of those that come into force.

    `started` are those that the host was started with, `env` is what references in a config are read from,
    and `is_torn` says that the last config was applied in part.
    """

    def __init__(self, settings: Settings, env: Mapping[str, str], running: Running) -> None:
        self._settings = self.started = settings
        self.env = env
        self._running = running
        self._applied = settings.config
        self._lock = asyncio.Lock()
        self.is_torn = False
        self.listeners: list[Callable[[Settings], None]] = []

    @property
    def config_path(self) -> Path | None:
        """The file that is in force."""
        return self._settings.config_path

    @property
    def applied(self) -> Config:
        """What is in force."""
        return self._applied

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that the config names."""
        return tuple(func.model_name for func in self._settings.config.funcs)

    async def apply(self, path: Path | None = None) -> list[str]:
        """Go over to the file at `path`, or to the host's own as it is now; returns what has changed.

        Raises NoConfigError, and ConfigError with all faults: then nothing has changed.
        """
        async with self._lock:
            file = path or self._settings.config_path
            if file is None:
                raise NoConfigError(
                    "the host runs without a config file; `fnhost config apply FILE` names one"
                )
            before = self._applied
            try:
                after = await asyncio.to_thread(_load, file, self.env)
            except ConfigError as error:
                # Whoever names a file may be far away, and the file any at all.
                raise error if path is None else error.told_afar() from None
            await asyncio.to_thread(self._running.edge.renew, after)
            self._settings = replace(self._settings, config=after, config_path=file)
            anew, self.is_torn = self.is_torn, True
            told = [*describe_changes(before, after), *await self._go_over(before, anew)]
            # Only now: what failed in the middle is a difference still, and is tried again.
            self._applied, self.is_torn = after, False
            for listener in self.listeners:
                listener(self._settings)
            for line in told:
                logger.info("config: %s", line, extra={"event": "config.reload", "config": str(file)})
            return told

    async def apply_quietly(self) -> str:
        """What SIGHUP asks for: a fault is logged and leaves all as it was. Returns `ok` or what else."""
        try:
            await self.apply()
        except (ConfigError, NoConfigError) as error:
            logger.error(
                "the config is not reloaded, and nothing has changed: %s",
                error,
                extra={"event": "config.refused"},
            )
            return "refused"
        except Exception:
            logger.exception("the config is applied in part; reload it once the cause is gone")
            return "failed"
        return "ok"

    async def _go_over(self, before: Config, anew: bool) -> list[str]:
        """With `anew`, connections are looked at though `before` has the same ones."""
        running, config = self._running, self._settings.config
        running.trigger.max_body = config.limits.max_body
        running.trigger.bodies.most = config.limits.bodies
        running.collector.keep = config.limits.revisions
        running.room.change(config.limits)
        running.logs.size = config.limits.log_size
        running.deployer.base_of = find_bases(config)
        running.edge.apply(config)
        running.rates.clear()
        running.rates.update(make_rates(config))
        told = await running.catalog.reconfigure(Additions.of(config))
        await self._bring_packages()
        if anew or any(getattr(before, name) != getattr(config, name) for name in CONNECTED):
            await self._reconnect()
        polling = (config.bridges, config.rate_limit_resources)
        if anew or (before.bridges, before.rate_limit_resources) != polling:
            await running.bridges.apply(*polling)
        return told

    async def _reconnect(self) -> None:
        running, config = self._running, self._settings.config
        await running.deploys.tried()
        # Timers that go, or publish elsewhere, have published all they will when their connections end.
        await running.timers.retire(config)
        await running.mqtt.apply(config)
        await running.timers.apply(config)

    async def _bring_packages(self) -> None:
        running = self._running
        sources = find_sources(self._settings, running.state.downloads)
        await running.deploys.replace(Downloads(sources, running.state, running.deployer))


def _load(file: Path, env: Mapping[str, str]) -> Config:
    """A pipe is read at the start of a host, if that is wanted; later it would hold a thread for ever."""
    if is_special(file):
        fault = Fault("", "is no plain file", "name one that is")
        raise ConfigError([fault], str(file))
    return load_config(file, env)


def make_rates(config: Config) -> dict[str, RateLimit]:
    """The rate limits of functions that have one."""
    return {func.model_name: make_limit(func.rate) for func in config.funcs if func.rate is not None}
