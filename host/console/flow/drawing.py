"""Draws the graph of what was seen: rules, timers, bridges, what calls functions, and where results go."""

from host.console.flow.graph import BROKER, FUNCTION, RULE, SOURCE, TARGET, TOPIC, Graph, Node
from host.console.flow.sight import Sight
from triggers.bridge.plan import BridgePlan
from triggers.delivery.lane_plan import LaneView
from triggers.mqtt.plan import Target
from triggers.mqtt.states import RuleView
from triggers.mqtt.url import parse_url
from triggers.timers.trigger import TimerView


def draw(sight: Sight) -> Graph:
    """The graph, with the totals of its edges."""
    drawing = Drawing(sight)
    for rule in sight.rules:
        drawing.add_rule(rule)
    for timer in sight.timers:
        drawing.add_timer(timer)
    for plan, state in sight.bridges:
        drawing.add_bridge(plan, state.published, state.published + state.waiting)
    drawing.add_callers()
    return drawing.graph


class Drawing:
    """One graph in the making."""

    def __init__(self, sight: Sight) -> None:
        self.graph = Graph()
        self._sight = sight
        self._addresses = {each.name: place_of(each.url) for each in sight.brokers}

    def add_rule(self, rule: RuleView) -> None:
        """From its broker to where its results go."""
        graph, plan, received = self.graph, rule.plan, rule.state.received
        broker, own = self._broker("from", plan.sub_broker, SOURCE), rule_id(rule)
        topic = f"topic:{plan.sub_broker}/{plan.topic_filter}"
        graph.add(Node(topic, "topic", TOPIC, plan.topic_filter, plan.sub_broker))
        graph.add(Node(own, "rule", RULE, plan.name))
        graph.join(broker, topic, received)
        graph.join(topic, own, received)
        target = Target(plan.pub_broker, plan.pub_client_id, plan.pub_topic)
        for lane in rule.lanes:
            function = self._function(lane.function)
            graph.join(own, function, lane.passed.sent)
            self._add_results(function, lane, target)
            if plan.error is not None:
                self._add_target(function, plan.error, lane.passed.failed, lane.passed.failed)

    def add_timer(self, timer: TimerView) -> None:
        """From its moments to where its results go."""
        plan = timer.plan
        own = self.graph.add(Node(f"timer:{plan.name}", "timer", RULE, plan.name, timer.state.schedule))
        for lane in timer.lanes:
            function = self._function(lane.function)
            self.graph.join(own, function, lane.passed.sent)
            self._add_results(function, lane, plan.target)

    def add_bridge(self, plan: BridgePlan, published: int, read: int) -> None:
        """From the source that it polls to its topic."""
        graph, place = self.graph, plan.source.place
        source = graph.add(Node(f"source:{place}", "source", SOURCE, place))
        own = graph.add(Node(f"bridge:{plan.name}", "bridge", RULE, plan.name))
        graph.join(source, own, read)
        address = place_of(plan.target.urls[0])
        name = next((name for name, known in self._addresses.items() if known == address), address)
        self._addresses.setdefault(name, address)
        self._add_target(own, Target(name, plan.target.client_id, plan.target.topic), read, published)

    def add_callers(self) -> None:
        """Who calls functions over HTTP, and the results that are posted to them."""
        later = self._sight.asynchronous_by_function
        for name, seen in self._sight.functions.items():
            if (direct := seen.http - later[name]) > 0:
                http = self.graph.add(Node("http", "http", RULE, detail="/invoke"))
                self.graph.join(http, self._function(name), direct)
        for name, sent in later.items():
            if sent and name in self._sight.functions:
                queue = Node("async", "async", RULE, detail="/invoke")
                self.graph.join(self.graph.add(queue), self._function(name), sent)
        for name, posted in self._sight.posted.items():
            if name in self._sight.functions:
                callbacks = Node("callbacks", "callbacks", TARGET)
                self.graph.join(self._function(name), self.graph.add(callbacks), posted)
        for lane in self._sight.asynchronous:
            name = lane.function.partition("@")[0]
            if lane.passed.failed and name in self._sight.functions:
                self._add_letters(self._function(name), lane.passed.failed)

    def _add_results(self, function: str, lane: LaneView, target: Target | None) -> None:
        passed = lane.passed
        if target is not None:
            # Which of the results are confirmed is not counted by topic: those to other topics come off.
            usual = max(0, passed.confirmed - passed.elsewhere)
            self._add_target(function, target, passed.published - passed.elsewhere, usual)
            if passed.elsewhere:
                other = Node(f"elsewhere:{target.broker}", "elsewhere", TARGET)
                self.graph.join(function, self.graph.add(other), passed.elsewhere)
                confirmed = min(passed.confirmed, passed.elsewhere)
                self.graph.join(other.id, self._broker("to", target.broker, BROKER), confirmed)
        if passed.failed:
            self._add_letters(function, passed.failed)

    def _add_letters(self, function: str, failed: int) -> None:
        letters = Node("letters", "letters", TARGET)
        self.graph.join(function, self.graph.add(letters), failed)

    def _add_target(self, origin: str, target: Target, made: int, confirmed: int) -> None:
        node = f"target:{target.broker}/{target.topic}"
        self.graph.add(Node(node, "topic", TARGET, target.topic, target.broker))
        self.graph.join(origin, node, made)
        self.graph.join(node, self._broker("to", target.broker, BROKER), confirmed)

    def _broker(self, way: str, name: str, column: int) -> str:
        address = self._addresses.get(name, "")
        return self.graph.add(Node(f"{way}:{name}", "broker", column, name, address))

    def _function(self, name: str) -> str:
        return self.graph.add(Node(function_id(name), "function", FUNCTION, name))


def rule_id(rule: RuleView) -> str:
    """The id of its node; names of rules may be the same."""
    return f"rule:{rule.plan.session}"


def function_id(name: str) -> str:
    """The id of its node."""
    return f"function:{name}"


def place_of(url: str) -> str:
    """Host and port of a broker's URL."""
    host, port = parse_url(url).place
    return f"{host}:{port}"
