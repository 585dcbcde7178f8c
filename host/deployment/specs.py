"""What a pool runs with: the manifest, and over it what the config says of the function."""

import json
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from conf.funcs import Func
from conf.resources import Isolation, Resources
from functions.environment import base_interpreter
from functions.manifest import Manifest
from functions.registry import Revision
from host.deployment.additions import Additions
from host.state import StateDir
from runtime.boot import BootError
from runtime.spec import BatchRule, PoolSpec, ScaleRule

GLANCES = 4096
MOST_ENV = 32 * 1024
MOST_TOLD = 48 * 1024
"""Bytes of JSON that the first message to a process may have of what a package names, beside its secrets."""


def make_spec(revision: Revision, state: StateDir, additions: Additions) -> PoolSpec:
    """Everything that the revision's pool needs to know.

    Raises OSError when it cannot have its folder, BootError when it cannot have a secret that
    it names, or when it names too much.
    """
    manifest = Manifest.model_validate_json(revision.manifest_json)
    override = additions.funcs.get(revision.function)
    environment = state.environment(revision.function, revision.number)
    share = _share(manifest, override)
    isolation = (override and override.isolation) or manifest.isolation
    env = {**manifest.env, **(override.env if override else {})}
    _check_size(revision.function, manifest, env)
    return PoolSpec(
        function=revision.function,
        revision=revision.number,
        sha256=revision.sha256,
        python=environment / "bin" / "python",
        package_dir=state.package(revision.sha256),
        output_dir=_output(state, revision.function, isolation),
        handler=manifest.handler,
        python_path=manifest.python_path,
        accepts=manifest.accepts,
        timeout=(override and override.timeout) or manifest.timeout,
        startup_timeout=manifest.startup_timeout,
        concurrency=(override and override.concurrency) or manifest.concurrency,
        threads=manifest.threads,
        queue=(override and override.queue) or manifest.queue,
        isolation=isolation,
        interpreter=base_interpreter(environment),
        memory=share.memory,
        cpu_max=share.cpu_max,
        network=manifest.network == "allow" and not (override and override.network == "none"),
        processes=_processes(manifest, override),
        reads=_reads(override),
        writes=tuple(override.writes) if override else (),
        env=env,
        secrets=additions.secrets_of(revision.function, manifest.secrets),
        models=dict(manifest.models),
        publish=tuple(manifest.publish),
        idempotent=manifest.idempotent,
        max_event=manifest.max_event,
        max_result=manifest.max_result,
        preload=bool(manifest.preload),
        check_fork=manifest.preload != "always",
        scale=_within_cores(_scale(manifest, override), share.cpu),
        batch=_batch(manifest, override),
        bounds=additions.bounds,
    )


def _check_size(function: str, manifest: Manifest, env: dict[str, str]) -> None:
    told = {"env": env, "models": manifest.models, "publish": manifest.publish, "path": manifest.python_path}
    size, env_size = len(json.dumps(told)), len(json.dumps(env))
    if env_size > MOST_ENV:
        raise BootError(f"`env` of {function} has {env_size} bytes in all, as JSON; {MOST_ENV} are allowed")
    if size > MOST_TOLD:
        raise BootError(
            f"`env`, `models`, `publish` and `python_path` of {function} have {size} bytes in all, as JSON; "
            f"{MOST_TOLD} are allowed"
        )


@dataclass(frozen=True, slots=True)
class Glance:
    """What is asked of every function, also of those that never run: what it takes, its bounds.

    `has_input` says whether it declares what its events look like.
    """

    accepts: str
    least: int
    most: int
    has_input: bool


@lru_cache(GLANCES)
def glance(manifest_json: str) -> Glance:
    """Look into a stored manifest, without the time that validating it takes; equal texts are read once."""
    fields = json.loads(manifest_json)
    scale = fields["scale"]
    # Revisions that were deployed by an earlier program have no `input`.
    return Glance(fields["accepts"], scale["min"], scale["max"], fields.get("input") is not None)


def least_instances(revision: Revision, override: Func | None) -> int:
    """How many instances are kept while no event comes."""
    told, seen = override.scale if override else None, glance(revision.manifest_json)
    if told is not None and told.min is not None:
        return told.min
    return min(seen.least, (told and told.max) or seen.most)


def _scale(manifest: Manifest, override: Func | None) -> ScaleRule:
    told = override.scale.model_dump(exclude_none=True) if override and override.scale else {}
    rule = replace(ScaleRule(**manifest.scale.model_dump()), **told)
    # One bound may come from the config and the other from the manifest: the config's is meant.
    if "min" in told:
        return replace(rule, max=max(rule.min, rule.max))
    return replace(rule, min=min(rule.min, rule.max))


def _within_cores(rule: ScaleRule, cpu: float | None) -> ScaleRule:
    """No more instances than the machine has cores for, but one; without a plan as many as are asked for."""
    if cpu is None:
        return rule
    most = max(1, min(rule.max, int((os.cpu_count() or 1) / cpu)))
    return replace(rule, min=min(rule.min, most), max=most)


def _share(manifest: Manifest, override: Func | None) -> Resources:
    """What the pool may take, key by key as the config says, else the manifest."""
    told = {**_resources(manifest), **(_resources(override) if override else {})}
    if told.get("cpu_max", told.get("cpu", 0)) < told.get("cpu", 0):
        # One is the config's and the other the manifest's: an instance gets what it is planned with.
        told["cpu_max"] = told["cpu"]
    return Resources.model_validate(told)


def _resources(told: Manifest | Func) -> dict[str, float]:
    found = {} if told.resources is None else told.resources.model_dump(exclude_none=True)
    return found if told.memory is None else {**found, "memory": told.memory}


def _processes(manifest: Manifest, override: Func | None) -> int:
    told = override.processes if override else None
    return manifest.processes if told is None else told


def _reads(override: Func | None) -> tuple[Path, ...]:
    """Also the folders in which the config has its entry point; those that only a package names are not."""
    return (*override.reads, *(each.absolute() for each in override.python_path)) if override else ()


def _batch(manifest: Manifest, override: Func | None) -> BatchRule | None:
    told = (override and override.batch) or manifest.batch
    return BatchRule(told.max_size, told.max_wait) if told else None


def _output(state: StateDir, function: str, isolation: Isolation) -> Path:
    if isolation == "subinterpreter":
        # Made by the process that shares it out, whose box has nothing else to write to.
        return state.shared_output / function
    folder = state.output / function
    folder.mkdir(parents=True, exist_ok=True)
    return folder
