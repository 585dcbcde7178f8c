"""Gives the MQTT trigger its place in the host: the plan from the config, its lifecycle, its health."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from conf.funcs import Func
from conf.models import Config
from conf.mqtt import Broker as BrokerEntry
from conf.mqtt import Rule
from host.health import Check
from host.lifecycle import Part
from host.observing.traces.story import Topics
from host.retries import make_retries
from host.startup import Startup
from host.timers import make_timers
from triggers.delivery.keeping import Keeping
from triggers.delivery.lane_plan import LaneView
from triggers.mqtt.broker import Broker
from triggers.mqtt.feed import Feed
from triggers.mqtt.plan import BrokerPlan, Care, Dedupe, MqttPlan, ReadLimits, RulePlan, Target
from triggers.mqtt.states import ConnectionState, RuleView
from triggers.mqtt.topics_seen import TopicsSeen
from triggers.mqtt.trigger import MqttTrigger
from triggers.mqtt.visits import Visits


class MqttPart(Part):
    """Starts after the functions and stops before them."""

    name = "mqtt"
    priority = 500

    def __init__(
        self,
        config: Config,
        feed: Feed,
        functions_there: Callable[[], Awaitable[None]],
        keeping: Keeping,
    ) -> None:
        self._plan = make_plan(config)
        self._trigger = MqttTrigger(self._plan, feed, keeping)
        self.publishers = self._trigger.publishers
        self._functions_there = functions_there
        self._startup = Startup(self.name)

    async def setup(self) -> None:
        """Check the plan."""
        await self._trigger.setup()

    async def start(self) -> None:
        """Begin to connect in the background; a broker that is down is waited for."""
        self._startup.begin(self._connect())

    async def _connect(self) -> None:
        # The broker keeps what comes before; taken now, it would find no function.
        await self._functions_there()
        await self._trigger.start()

    async def apply(self, config: Config) -> None:
        """Go over to the rules of another config, once its functions were tried."""
        await self._functions_there()
        self._plan = make_plan(config)
        await self._trigger.apply(self._plan)

    async def stop(self) -> None:
        """Take no more, finish what is in flight, and go."""
        await self._startup.stop()
        await self._trigger.stop()

    def wake(self, name: str) -> bool:
        """Rows were added for the lane or target `name`; False when nobody here works it."""
        return self._trigger.wake(name)

    def topics(self, rule: str) -> Topics:
        """Where the events of a rule come from, and where its results go; empty for any other."""
        found = next((each for each in self._plan.rules if each.name == rule), None)
        return Topics() if found is None else Topics(found.sub_topic, found.pub_topic)

    def devices(self) -> dict[str, list[str]]:
        """The devices that the rules name, each with the functions that take its events."""
        told: dict[str, list[str]] = {}
        for rule in self._plan.rules:
            for (function, _), devices in zip(rule.functions, rule.devices or (), strict=False):
                for name in {device.device_name for device in devices if device.device_name}:
                    told.setdefault(name, []).append(function)
        return told

    def ways(self, function: str) -> list[tuple[RulePlan, BrokerPlan]]:
        """The rules that feed a function, each with the broker that its events come from."""
        brokers = {broker.name: broker for broker in self._plan.brokers}
        fed = [rule for rule in self._plan.rules if any(name == function for name, _ in rule.functions)]
        return [(rule, brokers[rule.sub_broker]) for rule in fed]

    def queue_rows(self) -> list[dict[str, Any]]:
        """Rows of `/queue_size_metrics`."""
        return [asdict(row) for row in self._trigger.rows()]

    def waiting(self) -> tuple[int, int]:
        """Events from brokers without an answer, and results that no broker has confirmed."""
        events = sum(row.pre_queue for row in self._trigger.rows())
        return events, sum(len(publisher) for publisher, _ in self._trigger.publishers)

    def connections(self) -> list[dict[str, Any]]:
        """Each connection with its counters, as the API shows them."""
        return [asdict(state) for state in self.state()]

    def told(self) -> list[dict[str, Any]]:
        """Each connection with its counters, and when it was there and when not (`spells`)."""
        pairs = zip(self.state(), self._trigger.spells(), strict=True)
        return [{**asdict(state), "spells": [dict(vars(each)) for each in spells]} for state, spells in pairs]

    def spell_changes(self) -> int:
        """A number that is another whenever some connection has come or gone."""
        return sum(spells.changes + 1 for spells in self._trigger.spells())

    @property
    def seen(self) -> TopicsSeen:
        """What passes over all connections."""
        return self._trigger.seen

    @property
    def visits(self) -> Visits:
        """What people do at brokers by themselves."""
        return self._trigger.visits

    @property
    def brokers(self) -> dict[str, Broker]:
        """Those of the config by name."""
        return self._trigger.brokers

    @property
    def rules(self) -> tuple[RulePlan, ...]:
        """Those of the config."""
        return self._plan.rules

    def state(self) -> list[ConnectionState]:
        """Each connection with its counters."""
        return self._trigger.state()

    def views(self) -> list[RuleView]:
        """Each rule with its connection, and what waits for its functions."""
        return self._trigger.views()

    def lanes(self) -> list[tuple[str, str, LaneView]]:
        """What waits for functions: the rule's name, the function's, how much."""
        return self._trigger.lanes()

    def checks(self) -> list[Check]:
        """A broker that is away is worth knowing, and no reason to send HTTP callers elsewhere."""
        connected = [
            Check(
                f"mqtt {state.broker} {state.client_id}",
                state.connected,
                "" if state.connected else state.last_error or "not connected yet",
                required=False,
            )
            for state in self.state()
        ]
        return [*self._startup.checks(), *connected]


class ListeningPart(Part):
    """Stops before the port does, since nobody who listens would go by themselves."""

    name = "mqtt listening"
    priority = 940

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    async def stop(self) -> None:
        """End it for all."""
        self._visits.end()


def make_plan(config: Config) -> MqttPlan:
    """The trigger's own view of the config."""
    positions = {func.model_name: number for number, func in enumerate(config.funcs)}
    funcs = {func.model_name: func for func in config.funcs}
    reading = ReadLimits(config.limits.max_body, config.limits.json_depth)
    rules = [
        replace(_rule_plan(rule, number, positions, funcs), reading=reading)
        for number, rule in enumerate(config.rules)
    ]
    targets = [timer.target for timer in make_timers(config) if timer.target is not None]
    return MqttPlan(tuple(_broker_plan(broker) for broker in config.mqtts), tuple(rules), tuple(targets))


def _broker_plan(broker: BrokerEntry) -> BrokerPlan:
    tls = broker.tls
    return BrokerPlan(
        name=broker.name,
        url=broker.broker,
        qos=broker.qos,
        retain=broker.retain,
        username=broker.username,
        password=broker.password.get_secret_value() if broker.password else None,
        ca_file=tls.ca if tls else None,
        cert_file=tls.cert if tls else None,
        key_file=tls.key if tls else None,
        version=broker.version,
        status=broker.status,
    )


def _rule_plan(rule: Rule, number: int, positions: dict[str, int], funcs: dict[str, Func]) -> RulePlan:
    names = tuple(positions) if rule.functions is None else rule.functions
    return RulePlan(
        name=rule.name or f"rule{number}",
        sub_broker=rule.sub.name,
        sub_client_id=rule.sub.client_id,
        sub_topic=rule.sub.topic,
        pub_broker=rule.pub.name,
        pub_client_id=rule.pub.client_id,
        pub_topic=rule.pub.topic,
        functions=tuple((name, positions.get(name, number)) for number, name in enumerate(names)),
        timeout=rule.pub.timeout,
        retained=rule.retained,
        devices=tuple(funcs[name].devices if name in funcs else () for name in names),
        sub_process=rule.sub_process,
        error=Target(rule.error.name, rule.error.client_id, rule.error.topic) if rule.error else None,
        group=rule.group,
        care=_care(rule, names, funcs),
        bind=rule.bind,
    )


def _care(rule: Rule, names: tuple[str, ...], funcs: dict[str, Func]) -> Care:
    return Care(
        retries=make_retries(names, rule.retry, funcs),
        order=rule.order,
        device=rule.device,
        dedupe=Dedupe(rule.dedupe.key, rule.dedupe.window) if rule.dedupe else None,
        max_age=rule.max_age,
        latest=rule.latest is not None,
    )
