"""The world around the trigger: devices that publish and listen, functions to dispatch to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvloop
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.events import Answer, Dispatch, Event, InvocationError
from tests.brokers import Broker
from tests.store.open_store import opened
from triggers.delivery.keeping import Keeping
from triggers.delivery.retry import RetryPolicy
from triggers.mqtt.feed import Feed
from triggers.mqtt.plan import BrokerPlan, Care, MqttPlan, RulePlan
from triggers.mqtt.trigger import MqttTrigger

DEADLINE = 90.0
V5 = MQTTProtocolVersion.MQTTv5

Function = Callable[[Event], "Answer | InvocationError"]


async def until(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Wait for `condition`, or fail saying `what` did not happen."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while not condition():
        assert loop.time() < end, f"in {deadline:g} s it did not happen that {what}"
        await asyncio.sleep(0.005)


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine on the loop that the host uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene)


class Device:
    """A client of a broker with paho's own thread; it keeps all it hears.

    With a `client_id` the broker keeps its session while it or the broker is away.
    """

    def __init__(self, broker: Broker, version: MQTTProtocolVersion = V5, client_id: str = "") -> None:
        self.heard: list[MQTTMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=version)
        self._client.on_message = lambda _c, _u, message: self.heard.append(message)
        self._granted: list[int] = []
        self._client.on_subscribe = lambda _c, _u, mid, _r, _p: self._granted.append(mid)
        if broker.credentials is not None:
            self._client.username_pw_set(*broker.credentials)
        if client_id:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = 600
            self._client.connect("127.0.0.1", broker.port, clean_start=False, properties=session)
        else:
            self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    async def listen(self, topic: str, qos: int = 1) -> None:
        """Hear `topic` from now on."""
        _, mid = self._client.subscribe(topic, qos)
        await until(lambda: mid in self._granted, f"{topic} was subscribed to")

    def say(self, topic: str, payload: bytes, qos: int = 1, **how: Any) -> None:
        """Publish and wait until the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for name, value in how.pop("properties", {}).items():
            setattr(properties, name, value)
        info = self._client.publish(topic, payload, qos, how.get("retain", False), properties)
        info.wait_for_publish(DEADLINE)

    def say_all(self, topic: str, payloads: list[bytes], qos: int = 1) -> None:
        """Publish all and wait until the broker has them."""
        infos = [self._client.publish(topic, payload, qos) for payload in payloads]
        for info in infos:
            info.wait_for_publish(DEADLINE)

    def payloads(self) -> list[bytes]:
        """What was heard, in order."""
        return [bytes(message.payload) for message in self.heard]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def device(broker: Broker, version: MQTTProtocolVersion = V5, client_id: str = "") -> Iterator[Device]:
    made = Device(broker, version, client_id)
    try:
        yield made
    finally:
        made.close()


class Functions:
    """A dispatch that runs plain callables; those named in `held` wait until they are let go."""

    def __init__(self, **functions: Function) -> None:
        self.events: list[tuple[str, Event]] = []
        self.held: set[str] = set()
        self._functions = functions
        self._waiting: list[tuple[str, Event, asyncio.Future[Answer]]] = []

    def dispatch(self, name: str, event: Event) -> "asyncio.Future[Answer]":
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.events.append((name, event))
        if name in self.held:
            self._waiting.append((name, event, future))
        else:
            asyncio.get_running_loop().call_soon(self._run, name, event, future)
        return future

    def let_go(self, name: str, last_first: bool = False) -> None:
        """Run what was held back, in the order of dispatch or against it."""
        self.held.discard(name)
        waiting, self._waiting = self._waiting, []
        for waited in reversed(waiting) if last_first else waiting:
            self._run(*waited)

    def cancel(self, name: str) -> None:
        """Let those in the queue go without an answer, as a host does that stops; answer from now on."""
        self.held.discard(name)
        waiting, self._waiting = self._waiting, []
        for _, _, future in waiting:
            future.cancel()

    def bodies(self) -> list[bytes]:
        """What was dispatched, in order."""
        return [event.body for _, event in self.events]

    def _run(self, name: str, event: Event, future: "asyncio.Future[Answer]") -> None:
        answer = self._functions[name](event)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def echo(event: Event) -> Answer:
    """Returns the event as it is."""
    return Answer(event.body, revision="echo@1")


def broker_plan(broker: Broker, name: str = "b1", **more: Any) -> BrokerPlan:
    return BrokerPlan(name, broker.url, **{"qos": 1, **more})


def rule_plan(name: str = "r1", **more: Any) -> RulePlan:
    """A rule from in/NAME to out/NAME on broker b1 through `echo`, which is tried once."""
    defaults: dict[str, Any] = {
        "sub_broker": "b1",
        "sub_client_id": f"{name}-in",
        "sub_topic": f"in/{name}",
        "pub_broker": "b1",
        "pub_client_id": f"{name}-out",
        "pub_topic": f"out/{name}",
        "functions": (("echo", 0),),
    }
    told = {**defaults, **more}
    once = (RetryPolicy(attempts=1),) * len(told["functions"])
    return RulePlan(name, **{"care": Care(retries=once), **told})


@asynccontextmanager
async def running(plan: MqttPlan, dispatch: Dispatch, **more: Any) -> AsyncIterator[MqttTrigger]:
    """A started trigger, connected unless `wait` is False; stopped at the end.

    With a `folder`, what it keeps on disk is there for the next one.
    """
    wait, folder = more.pop("wait", True), more.pop("folder", None)
    async with opened(folder) as store:
        trigger = MqttTrigger(plan, Feed(dispatch), Keeping(store), **more)
        await trigger.setup()
        await trigger.start()
        try:
            if wait:
                await until(lambda: all_connected(trigger), "all connections are up")
            yield trigger
        finally:
            await trigger.stop()


def all_connected(trigger: MqttTrigger) -> bool:
    return all(state.connected for state in trigger.state())
