"""Sets the demo's stage: a folder, a broker and a host, which are gone when it is over."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from host.demo.broker import READY
from host.demo.config import write_config
from host.demo.faults import DemoError
from host.demo.records import Sample
from host.demo.screen import say
from host.private.child import Child, Program, run_child
from host.private.folder import scratch_folder
from host.private.ports import free_port, is_free
from host.private.race import race

WEB_PORT = 5888
MQTT_PORT = 1883
START_LIMIT = 60.0
READY_LIMIT = 30.0
HOST_GRACE = 5.0  # a deploy in its middle would take longer, and nothing of it is to be kept
BROKER_GRACE = 5.0


@dataclass(frozen=True)
class Wanted:
    """What the demo was asked for; None stands for the usual port."""

    once: bool
    port: int | None
    mqtt_port: int | None


@dataclass(frozen=True)
class Stage:
    """Where everything is."""

    url: str
    mqtt_port: int
    children: tuple[Child, ...]

    async def play(self, scene: Coroutine[None, None, None]) -> None:
        """Run `scene` to its end. Raises ChildError when one of the processes ends before."""
        await race(scene, *(child.watch() for child in self.children))


@asynccontextmanager
async def set_stage(wanted: Wanted, samples: Sequence[Sample]) -> AsyncIterator[Stage]:
    """Start broker and host; the block begins when both run."""
    mqtt_port = _choose_mqtt_port(MQTT_PORT if wanted.mqtt_port is None else wanted.mqtt_port)
    web_port = WEB_PORT if wanted.port is None else wanted.port
    with scratch_folder("fnhost-demo-") as folder:
        serving = Program("the broker", ["host.demo.broker", str(mqtt_port)], BROKER_GRACE)
        async with run_child(serving) as broker:
            await _started(broker, f"({READY})")
            say(f"The broker listens on 127.0.0.1:{mqtt_port}.")
            config = write_config(folder, mqtt_port, samples)
            # The kernel chooses for the host, which says what it got.
            listen = f"127.0.0.1:{web_port if is_free(web_port) else 0}"
            files = ["--config", str(config), "--state", str(folder / "state")]
            arguments = ["host.cli", "serve", "--listen", listen, *files]
            async with run_child(Program("the host", arguments, HOST_GRACE)) as host:
                url = await _started(host, r"fnhost listens on (http://[^,]+),")
                _say_instead(web_port, "web", int(url.rpartition(":")[2]))
                say(f"The host listens on {url}, its state is in {folder}.")
                yield Stage(url, mqtt_port, (broker, host))


def _choose_mqtt_port(wanted: int) -> int:
    chosen = wanted if wanted and is_free(wanted) else free_port()
    _say_instead(wanted, "MQTT", chosen)
    return chosen


def _say_instead(wanted: int, name: str, chosen: int) -> None:
    if wanted not in (0, chosen):
        say(f"Port {wanted} is taken, the {name} port is {chosen}.")


async def wait_ready(url: str) -> None:
    """Until every check of the host is good, those of its subscriptions included. Raises DemoError."""
    bad = ["it was not asked"]
    try:
        async with asyncio.timeout(READY_LIMIT), httpx.AsyncClient(trust_env=False) as http:
            # It is another process that gets ready, so there is no event to wait for.
            while bad := _bad_checks((await http.get(f"{url}/readyz")).json()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise DemoError(f"the host was not ready within {READY_LIMIT:g} s: {'; '.join(bad)}") from None


def _bad_checks(answer: dict[str, list[dict[str, object]]]) -> list[str]:
    return [f"{check['name']}: {check['detail']}" for check in answer["checks"] if not check["ok"]]


async def _started(child: Child, pattern: str) -> str:
    try:
        return await asyncio.wait_for(child.wait_for(pattern), START_LIMIT)
    except TimeoutError:
        raise child.failed(f"did not start within {START_LIMIT:g} s") from None
