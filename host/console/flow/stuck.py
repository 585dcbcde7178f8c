"""What is stuck or silent on the way of events, each with its place and its reason."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Literal
from urllib.parse import quote

from host.console.flow.drawing import function_id, rule_id
from host.console.flow.growth import Growth
from host.console.flow.sight import FunctionSight, Sight
from triggers.mqtt.broker import RECEIVE_MAXIMUM
from triggers.mqtt.states import ConnectionState, RuleView

Level = Literal["bad", "warn", "quiet"]
Value = str | float
LEVELS: tuple[Level, ...] = ("bad", "warn", "quiet")

SETTINGS = "/console/settings"
PATIENCE = 5.0
"""Seconds that an event or a result may wait before that is worth a word."""
SOME = 3
"""Events that must fail before it is said that most do."""
HURRY = 1.0
"""Seconds in a queue, of a function that has all the instances that it may."""


@dataclass(frozen=True)
class Stuck:
    """One thing, worded by the page: `code` is a key of its strings, `values` stand in them.

    Of the values, `since` and `next` are in seconds since the epoch, `count`s are whole numbers, the rest are
    texts. `told` is what the host itself says of the cause. `nodes` are marked in the picture; `href` is
    where it can be mended. What is `quiet` is no trouble.
    """

    code: str
    level: Level
    nodes: tuple[str, ...]
    values: dict[str, Value] = field(default_factory=dict)
    told: str = ""
    href: str = ""


def find_stuck(sight: Sight, growth: Growth) -> list[Stuck]:
    """All there is, the worst first; `growth` remembers the totals of earlier looks."""
    found = [
        *_brokers(sight),
        *_disk(sight),
        *_functions(sight, growth),
        *chain.from_iterable(_rule(each, sight.at, growth) for each in sight.rules),
        *_outboxes(sight),
        *_bridges(sight),
        *_letters(sight),
    ]
    return sorted(found, key=lambda each: LEVELS.index(each.level))


def _brokers(sight: Sight) -> Iterator[Stuck]:
    by_broker = defaultdict(list)
    for state in sight.connections:
        by_broker[state.broker].append(state)
    for name, states in by_broker.items():
        away = [each for each in states if not each.connected]
        if away:
            yield _away(name, away, len(states))


def _away(name: str, away: list[ConnectionState], of: int) -> Stuck:
    level: Level = "bad" if len(away) == of else "warn"
    code = "broker_away" if level == "bad" else "broker_partly"
    told = next((each.last_error for each in away if each.last_error), "")
    values: dict[str, Value] = {"broker": name, "since": int(min(each.since for each in away))}
    if len(away) < of:
        values |= {"clients": ", ".join(each.client_id for each in away)}
    next_try = min((each.next_try for each in away if each.next_try), default=None)
    if level == "bad" and next_try is not None:
        code, values = "broker_retried", {**values, "next": int(next_try)}
    return Stuck(code, level, (f"from:{name}", f"to:{name}"), values, told, f"{SETTINGS}#mqtts")


def _disk(sight: Sight) -> Iterator[Stuck]:
    if sight.refusal:
        rules = tuple(rule_id(each) for each in sight.rules)
        yield Stuck("disk", "bad", rules, told=sight.refusal, href=f"{SETTINGS}#limits")


def _functions(sight: Sight, growth: Growth) -> Iterator[Stuck]:
    waiting, since = _waiting(sight)
    for name, seen in sight.functions.items():
        late = since.get(name) if sight.at - since.get(name, sight.at) > PATIENCE else None
        trouble = _trouble(name, seen, waiting[name]) or _slowness(name, seen, (waiting[name], late))
        if trouble is not None:
            yield trouble
        yield from _refusals(name, seen, partial(growth.look, at=sight.at))


def _trouble(name: str, seen: FunctionSight, waiting: int) -> Stuck | None:
    """What keeps it from answering at all."""
    values: dict[str, Value] = {"function": name}
    code = "function_missing" if not seen.deployed else "function_failing"
    if seen.deployed and seen.view.state != "failing":
        return None
    if waiting:
        values["count"] = waiting
    link = f"{_page(name)}?tab=logs" if seen.deployed else "/console/functions"
    return Stuck(code if waiting else f"{code}_idle", "bad", (function_id(name),), values, seen.why, link)


def _slowness(name: str, seen: FunctionSight, waiting: tuple[int, float | None]) -> Stuck | None:
    """What makes events wait for it: `waiting` is how many do in lanes, and since when if that is long."""
    nodes, view, (count, since) = (function_id(name),), seen.view, waiting
    if view.queued and view.oldest > HURRY and seen.running >= seen.most:
        values: dict[str, Value] = {"function": name, "count": max(count, view.queued), "most": seen.most}
        return Stuck("function_full", "warn", nodes, values, href=f"{_page(name)}?tab=why")
    if since is None:
        return None
    values = {"function": name, "count": count, "since": int(since)}
    return Stuck("waiting", "warn", nodes, values, href=_page(name))


def _refusals(name: str, seen: FunctionSight, grown: Callable[..., int]) -> Iterator[Stuck]:
    """What it refused or failed at in the last minute."""
    nodes = (function_id(name),)
    if limited := grown(f"limited {name}", total=seen.limited):
        values: dict[str, Value] = {"function": name, "count": limited}
        yield Stuck("function_limited", "warn", nodes, values, href=f"{SETTINGS}#funcs")
    failed, ended = grown(f"failed {name}", total=seen.failed), grown(f"ended {name}", total=seen.ended)
    if failed >= SOME and failed * 2 >= ended:
        values = {"function": name, "count": ended, "failed": failed}
        yield Stuck("function_errors", "warn", nodes, values, href="/console/invocations")


def _waiting(sight: Sight) -> tuple[Counter[str], dict[str, float]]:
    """How many events wait for each function, and since when the first of them does."""
    waiting: Counter[str] = Counter()
    since: dict[str, float] = {}
    lanes = (*(each.lanes for each in sight.rules), *(each.lanes for each in sight.timers))
    for lane in (*chain.from_iterable(lanes), *sight.asynchronous):
        name = lane.function.partition("@")[0]
        waiting[name] += lane.events
        if lane.events:
            since[name] = min(since.get(name, sight.at), sight.at - lane.oldest)
    return waiting, since


def _rule(rule: RuleView, at: float, growth: Growth) -> Iterator[Stuck]:
    plan, state, own = rule.plan, rule.state, (rule_id(rule),)
    named: dict[str, Value] = {"rule": plan.name}
    link = f"{SETTINGS}#rules"
    if state.unacknowledged >= RECEIVE_MAXIMUM:
        since: dict[str, Value] = {"count": state.unacknowledged, "since": int(at - state.oldest)}
        yield Stuck("window_full", "warn", own, {**named, **since}, href=link)
    for code, total in (("rule_limited", state.refused_rate), ("rule_dropped", state.dropped)):
        if grown := growth.look(f"{code} {plan.session}", at, total):
            yield Stuck(code, "warn", own, {**named, "count": grown}, href=link)
    if not state.received and state.connected:
        yield Stuck("silent", "quiet", own, {**named, "topic": plan.topic_filter})


def _outboxes(sight: Sight) -> Iterator[Stuck]:
    for state in sight.connections:
        if state.rule is None and state.waiting and (state.oldest > PATIENCE or not state.connected):
            values: dict[str, Value] = {
                "broker": state.broker,
                "count": state.waiting,
                "since": int(sight.at - state.oldest),
            }
            code = "outbox" if state.connected else "outbox_away"
            nodes = (f"to:{state.broker}",)
            yield Stuck(code, "warn", nodes, values, state.last_error or "", "/console/mqtt")


def _bridges(sight: Sight) -> Iterator[Stuck]:
    for plan, state in sight.bridges:
        values: dict[str, Value] = {"bridge": plan.name}
        for code, why in (("bridge_source", state.source_error), ("bridge_broker", state.broker_error)):
            if why:
                yield Stuck(code, "bad", (f"bridge:{plan.name}",), dict(values), why, f"{SETTINGS}#bridges")


def _letters(sight: Sight) -> Iterator[Stuck]:
    if sight.letters:
        yield Stuck("letters", "warn", ("letters",), {"count": sight.letters}, href="/console/dead-letters")


def _page(name: str) -> str:
    return f"/console/functions/{quote(name, safe='')}"
