"""All that a torture needs, running: two brokers, a proxy before each, the host, publisher and recorder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.brokers import Mosquitto
from tests.hosts import ROOT, RunningHost
from tests.torture.clock import Clock
from tests.torture.disk import Disk
from tests.torture.ledger import Ledger
from tests.torture.proxy import Proxy
from tests.torture.publisher import Publisher
from tests.torture.recorder import Recorder
from tests.torture.subject import FILES, FUNCTION, Addresses, make_config
from tests.torture.tap import SourceTap, TargetTap

PATIENCE = 120.0
# What mosquitto would drop past its limits could not be told from what the host loses.
SETTINGS = ["max_queued_messages 0", "max_inflight_messages 1000"]


async def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
    """Wait for `condition`; raises TimeoutError saying `what` did not happen within `patience` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while not condition():
        if loop.time() > end:
            raise TimeoutError(f"in {patience:g} s it did not happen that {what}")
        await asyncio.sleep(0.005)


class Stage:
    """The running parts; `open` starts them, with a host that has the function in service.

    `config` is put on the top level of the host's config.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any] | None = None) -> None:
        self._config = config or {}
        self.ledger = Ledger()
        self.source = Mosquitto(folder, persistence=True, settings=SETTINGS)
        self.target = Mosquitto(folder, persistence=True, settings=SETTINGS)
        self.source_proxy = Proxy(self.source.port, SourceTap(self.ledger))
        self.target_proxy = Proxy(self.target.port, TargetTap(self.ledger))
        self.publisher = Publisher(self.source.port, self.ledger)
        self.recorder = Recorder(self.target.port, self.ledger)
        self.clock = Clock(folder / "clock", ROOT)
        home = folder / "host"
        home.mkdir()
        self.disk = Disk(home / "state")
        self.host = RunningHost(home)
        self._addresses = Addresses("", "")

    async def open(self) -> None:
        """Start everything, and wait until the host is subscribed."""
        await asyncio.to_thread(self._start_brokers)
        self._addresses = await self._open_doors()
        self.replace_host({}, {})
        self.recorder.start()
        self.publisher.start()
        await until(self.recorder.ready.is_set, "the recorder is subscribed")
        await asyncio.to_thread(self.host.start)
        told = await asyncio.to_thread(self.host.deploy, FILES, FUNCTION)
        if told.get("type") != "done":
            raise RuntimeError(f"the function cannot be deployed: {told}")
        await self.connected()

    def replace_host(self, env: Mapping[str, str], config: Mapping[str, Any]) -> None:
        """Another host, not started yet, on the state of the present one, which is killed if it runs."""
        before = self.host
        if hasattr(before, "process"):
            before.kill()
        before.client.close()
        text = make_config(self._addresses, **{**self._config, **config})
        self.host = RunningHost(before.folder, text, {**self.clock.environment, **env})

    def forget_delivery(self) -> None:
        """Kill the host and throw its delivery database away."""
        self.host.kill()
        for file in self.host.state.glob("delivery.db*"):
            file.unlink()

    async def connected(self) -> None:
        """Wait until all connections of the host are up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not await asyncio.to_thread(self._is_connected):
            if loop.time() > end:
                raise TimeoutError(f"the host is not connected:\n{self.host.log()[-2000:]}")
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Stop everything, whatever its state."""
        await self.publisher.stop()
        await self.recorder.stop()
        self.disk.free()
        self.source_proxy.release()
        self.target_proxy.release()
        await asyncio.to_thread(self._close_processes)
        await self.source_proxy.stop()
        await self.target_proxy.stop()

    def get(self, path: str, **params: str) -> Any:
        """What the host's API answers, or None when it does not; blocks."""
        answer = self.host.client.get(f"{self.host.url}{path}", params=params)
        return answer.json() if answer.status_code in (200, 503) else None

    def is_red(self) -> bool:
        """Whether the host says that it takes no more events; blocks."""
        try:
            checks = self.get("/readyz")["checks"]
        except httpx.HTTPError:
            return False
        return any(check["name"] == "delivery" and not check["ok"] for check in checks)

    def _is_connected(self) -> bool:
        checks: list[Mapping[str, Any]] = self.get("/readyz")["checks"]
        mqtt = [check for check in checks if check["name"].startswith("mqtt")]
        return bool(mqtt) and all(check["ok"] for check in mqtt)

    async def _open_doors(self) -> Addresses:
        return Addresses(await self.source_proxy.start(), await self.target_proxy.start())

    def _start_brokers(self) -> None:
        self.source.start()
        self.target.start()

    def _close_processes(self) -> None:
        try:
            if hasattr(self.host, "process"):
                self.host.close()
        finally:
            self.source.kill()
            self.target.kill()
            self.disk.unmount()


@asynccontextmanager
async def running_stage(folder: Path, config: Mapping[str, Any]) -> AsyncIterator[Stage]:
    """A stage that is open, and closed at the end."""
    stage = Stage(folder, config)
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
