"""All that one run measured, and how far it lies from the goals."""

import statistics
from dataclasses import dataclass

from tests.bench.load import Series
from tests.bench.memory import Growth, Idle
from tests.bench.mqtt import PAHO, Flow, Flows
from tests.bench.peers import FRAMEWORK, STARLETTE
from tests.bench.plan import FLOOD, LATENCY_CELL, PACED, RATIO_CELL, Cell, Plan
from tests.bench.rules import Rules
from tests.bench.starts import Starts
from tests.bench.targets import ONE

LEAST_RATIOS = {FRAMEWORK: 4.0, STARLETTE: 1.0}
LONGEST_P50 = 0.6
LARGEST_IDLE = 70.0
LONGEST_LOAD = 2000.0
LONGEST_MATCH = 1.0
LEAST_FLOW = 0.8
LONGEST_P99 = 20.0
LARGEST_SECOND = 10.0
"""MiB; the promise is "a few MB, not a copy of the model"."""


@dataclass(frozen=True)
class Result:
    """One run; `head` says on what and with what."""

    head: dict[str, str]
    plan: Plan
    series: list[Series]
    idle: Idle
    growth: list[Growth]
    starts: Starts
    rules: Rules
    mqtt: Flows

    def find(self, cell: Cell, target: str) -> Series | None:
        """The shots at a target with a load; None for a peer that could not be installed."""
        return next((each for each in self.series if (each.cell, each.target) == (cell, target)), None)


@dataclass(frozen=True)
class Ratio:
    """The median of the rounds' own ratios, and the least and the greatest of them.

    Each round compares two shots fired within seconds of each other, so that what the machine does meanwhile
    hits both. From the least to the greatest of seven is a 98.4 % confidence interval of the median (sign
    test: 1 - 2 / 2**7), whatever the distribution.
    """

    median: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.greatest:.2f})"


@dataclass(frozen=True)
class Goal:
    """`met` is None when it was not measured."""

    text: str
    value: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: "not measured"}[self.met]
        return f"goal {self.text}: {verdict} ({self.value})"


def paired_ratio(ours: Series | Flow, peer: Series | Flow) -> Ratio:
    """Requests per second of ours over the peer's, round by round."""
    ratios = [one.rate / other.rate for one, other in zip(ours.shots, peer.shots, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def goals(result: Result) -> list[Goal]:
    """What was asked of this program, and what came out."""
    return [
        *(_ratio_goal(result, peer, least) for peer, least in LEAST_RATIOS.items()),
        _latency_goal(result),
        _limit("idle host", result.idle.pss, LARGEST_IDLE, "MiB"),
        _limit(f"second instance, {result.growth[0].model}", result.growth[0].second, LARGEST_SECOND, "MiB"),
        _limit("config of 500 functions on one rule, loaded", result.rules.load, LONGEST_LOAD, "ms"),
        _limit("one event matched against 1,000 functions", result.rules.match, LONGEST_MATCH, "ms"),
        *_mqtt_goals(result.mqtt),
    ]


def _ratio_goal(result: Result, peer: str, least: float) -> Goal:
    text = f"req/s of one instance over {peer}, body A, 16 connections, at least {least:.1f}"
    ours, theirs = result.find(RATIO_CELL, ONE), result.find(RATIO_CELL, peer)
    if ours is None or theirs is None:
        return Goal(text, f"{peer} could not be installed", None)
    ratio = paired_ratio(ours, theirs)
    return Goal(text, str(ratio), ratio.median >= least)


def _latency_goal(result: Result) -> Goal:
    series = result.find(LATENCY_CELL, ONE)
    assert series is not None
    p50 = statistics.median(shot.p50 for shot in series.shots)
    return _limit("p50 of one instance, body A, 1 connection", p50, LONGEST_P50, "ms")


def _mqtt_goals(mqtt: Flows) -> list[Goal]:
    ratio = paired_ratio(mqtt.find(FLOOD, ONE), mqtt.find(FLOOD, PAHO))
    p99 = statistics.median(shot.p99 for shot in mqtt.find(PACED, ONE).shots)
    commits = "the host does not tell" if mqtt.commits is None else str(mqtt.commits)
    return [
        Goal(
            f"msg/s of one instance over {PAHO}, MQTT QoS 1, {FLOOD}, at least {LEAST_FLOW}",
            str(ratio),
            ratio.median >= LEAST_FLOW,
        ),
        _limit(f"p99 of one instance, MQTT QoS 1, {PACED}", p99, LONGEST_P99, "ms"),
        Goal(
            f"commits of the delivery database, {PACED}, none",
            commits,
            None if mqtt.commits is None else mqtt.commits == 0,
        ),
    ]


def _limit(text: str, value: float, most: float, unit: str) -> Goal:
    return Goal(f"{text}, below {most:g} {unit}", f"{value:.3g} {unit}", value < most)
