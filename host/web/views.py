"""How functions look from outside: the JSON of the API."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from functions.registry import Revision
from host.deployment.deployed import Deployed
from host.deployment.specs import glance
from runtime.boxes.box import standing_walls
from runtime.boxes.walls import WALLS, reached
from runtime.pool import COLD
from runtime.scaling.decisions import Decision, Record
from runtime.spec import PoolSpec
from runtime.worker.box_plan import Report

View = dict[str, Any]


def summarize(deployed: Deployed, why: str | None) -> View:
    """One line of `fnhost list`; `why` is what keeps the package that the config names from service."""
    if deployed.live is None:
        failed = max(deployed.revisions.values(), key=lambda each: each.number, default=None)
        return _nothing_runs(deployed.name, "failed", why or (failed.error if failed else None))
    pool = deployed.live_pool
    view = pool.view() if pool else COLD
    return {
        "name": deployed.name,
        "revision": deployed.live,
        "state": view.state,
        "temperature": view.temperature,
        "instances": sum(each.state in ("idle", "busy") for each in view.instances),
        "wanted": view.wanted,
        "queued": view.queued,
        "in_flight": view.in_flight,
        "last_error": view.last_error or why or _newest_failure(deployed),
        "accepts": glance(deployed.revisions[deployed.live].manifest_json).accepts,
    }


def summarize_missing(name: str, why: str | None) -> View:
    """A function that the config names and that is not deployed; `why` says what is the matter."""
    return _nothing_runs(name, "missing", why)


def _nothing_runs(name: str, state: str, error: str | None) -> View:
    numbers = {"instances": 0, "wanted": 0, "queued": 0, "in_flight": 0}
    nothing = {"name": name, "revision": None, "state": state, "temperature": "cold"}
    return {**nothing, **numbers, "last_error": error, "accepts": None}


def _newest_failure(deployed: Deployed) -> str | None:
    newest = max(deployed.revisions.values(), key=lambda each: each.number)
    return f"{deployed.name}@{newest.number}: {newest.error}" if newest.state == "failed" else None


def describe(deployed: Deployed, why: str | None) -> View:
    """All that `fnhost describe` shows; `why` as in `summarize`."""
    pool = deployed.live_pool
    view = pool.view() if pool else None
    return {
        **summarize(deployed, why),
        **(_rules(pool.spec, deployed.instances) if pool else {}),
        "box": _box(pool.walls) if pool and pool.walls else None,
        "revisions": [view_revision(each) for each in _by_number(deployed.revisions.values())],
        "aliases": {"live": deployed.live} if deployed.live is not None else {},
        "instances_detail": [asdict(each) for each in view.instances] if view else [],
        "counters": {"ok": view.ok if view else 0, "failed": view.failed if view else 0},
    }


def _rules(spec: PoolSpec, fixed: int | None) -> View:
    """What was told about how the function runs: by its manifest or the config, and at run time."""
    return {
        "scale": asdict(spec.scale),
        "fixed": None if fixed is None else min(fixed, spec.scale.max),
        "concurrency": spec.concurrency,
        "threads": spec.threads,
        "batch": asdict(spec.batch) if spec.batch else None,
        "preload": spec.preload if spec.check_fork else "always",
        "memory": spec.memory,
        "cpu_max": spec.cpu_max,
        "processes": spec.processes,
        "network": "allow" if spec.network else "none",
    }


def _box(walls: Report) -> View:
    """The level of what the function runs in or ran in last, and its walls; of those missing also why."""
    standing = standing_walls(walls)
    return {
        "level": reached(standing),
        "walls": [wall for wall in WALLS if wall in standing],
        "missing": {wall: walls[wall] for wall in WALLS if wall in walls and wall not in standing},
    }


def tell_decision(record: Record) -> View:
    """A decision about a function's instances: `at` in seconds since the epoch, and all it was made from."""
    decision = record.decision
    return {
        "at": record.at,
        "wanted": decision.wanted,
        "temperature": decision.temperature,
        "why": decision.why,
        "sentence": decision.sentence,
        "inputs": _inputs(decision),
    }


def _inputs(decision: Decision) -> View:
    """The numbers; for the moments of the pool's own clock the seconds since its last event."""
    seen = asdict(decision.seen)
    idle_for = seen.pop("now") - seen.pop("last_used")
    before = {"before": decision.before, "was": decision.was}
    need = {"needed": decision.need.instances, "rate": decision.need.rate, "load": decision.need.load}
    return {**before, **need, **seen, "idle_for": idle_for, "scale": asdict(decision.rule)}


def _by_number(revisions: Iterable[Revision]) -> list[Revision]:
    return sorted(revisions, key=lambda each: each.number)


def view_revision(revision: Revision) -> View:
    """One revision, in brief."""
    names = ("number", "sha256", "state", "error", "created")
    return {name: getattr(revision, name) for name in names}
