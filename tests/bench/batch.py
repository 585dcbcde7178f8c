"""Batching: a forest of scikit-learn with batches and without, the same package but for its manifest."""

import json

from tests.bench.goals import Goal, at_least, paired
from tests.bench.ours import deploy, running_host
from tests.bench.part import Part, Run, UnmeasuredError
from tests.bench.plan import Cell
from tests.bench.shots import Contest, Series, Target, find, measure, shots_table
from tests.hosts import RunningHost, wait_until

CELL = Cell("features", 64)
FEATURES = 20
BATCHED, SINGLE = "batches of up to 64", "one event at a time"
MANIFESTS = {BATCHED: "batch: {max_size: 64, max_wait: 5ms}\n", SINGLE: ""}
LEAST = 5.0
CODE = f"""
import numpy
from sklearn.ensemble import RandomForestClassifier

def init(context):
    global model
    random = numpy.random.default_rng(0)
    rows = random.random((1000, {FEATURES}))
    model = RandomForestClassifier(100, random_state=0).fit(rows, rows[:, 0] > 0.5)

def index(event, context):
    return int(model.predict(numpy.array([event["features"]]))[0])

def index_batch(events, context):
    rows = numpy.array([event["features"] for event in events])
    return [int(each) for each in model.predict(rows)]
"""


def measure_batch(run: Run) -> Part:
    """Both in the same rounds, one instance each."""
    if not run.plan.repeats.deploys_with_packages:
        raise UnmeasuredError("no deploy with packages in this plan")
    body = json.dumps({"features": [number / FEATURES for number in range(FEATURES)]}).encode()
    with running_host(run.folder / "host") as host:
        targets = [_target(host, name, manifest, body) for name, manifest in MANIFESTS.items()]
        series = measure(Contest(targets, (CELL,), {CELL.body: body}), run)
    return Part("batch", (goal(series),), (shots_table(series),), series)


def goal(series: list[Series]) -> Goal:
    """The promise about models that take many events at once."""
    many, one = find(series, CELL, BATCHED), find(series, CELL, SINGLE)
    assert many is not None and one is not None
    ratio = paired(many.values("rate"), one.values("rate"))
    return at_least("batches over single events, scikit-learn forest, 64 connections", ratio, LEAST)


def _target(host: RunningHost, name: str, manifest: str, body: bytes) -> Target:
    function = "batched" if name == BATCHED else "single"
    deploy(host, function, CODE, f"{manifest}scale: {{min: 1, max: 1}}\n", "scikit-learn")
    wait_until(lambda: host.describe(function)["instances"] == 1, f"{function} has its instance")
    answer = host.invoke(function, json.loads(body))
    if answer.text != "0":
        raise UnmeasuredError(f"{function} answers {answer.status_code}: {answer.text[:300]}")
    return Target(name, f"{host.url}/invoke/{function}", host.process.pid)
