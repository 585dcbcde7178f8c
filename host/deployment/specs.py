"""What a pool runs with: the manifest, and over it what the config says of the function."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from conf.funcs import Func
from functions.manifest import Manifest
from functions.registry import Revision
from host.state import StateDir
from runtime.spec import BatchRule, PoolSpec, ScaleRule

GLANCES = 4096


def make_spec(revision: Revision, state: StateDir, override: Func | None) -> PoolSpec:
    """Everything that the revision's pool needs to know; raises OSError when it cannot have its folder."""
    manifest = Manifest.model_validate_json(revision.manifest_json)
    return PoolSpec(
        function=revision.function,
        revision=revision.number,
        sha256=revision.sha256,
        python=_interpreter(state.environment(revision.function, revision.number)),
        package_dir=state.package(revision.sha256),
        output_dir=_output(state, revision.function),
        handler=manifest.handler,
        python_path=manifest.python_path,
        accepts=manifest.accepts,
        timeout=(override and override.timeout) or manifest.timeout,
        startup_timeout=manifest.startup_timeout,
        concurrency=(override and override.concurrency) or manifest.concurrency,
        threads=manifest.threads,
        queue=(override and override.queue) or manifest.queue,
        memory=(override and override.memory) or manifest.memory,
        env={**manifest.env, **(override.env if override else {})},
        models=dict(manifest.models),
        publish=tuple(manifest.publish),
        idempotent=manifest.idempotent,
        max_event=manifest.max_event,
        max_result=manifest.max_result,
        preload=bool(manifest.preload),
        check_fork=manifest.preload != "always",
        scale=_scale(manifest, override),
        batch=_batch(manifest, override),
    )


@dataclass(frozen=True, slots=True)
class Glance:
    """What is asked of every function, also of those that never run: what it takes, and its bounds."""

    accepts: str
    least: int
    most: int


@lru_cache(GLANCES)
def glance(manifest_json: str) -> Glance:
    """Look into a stored manifest, without the time that validating it takes; equal texts are read once."""
    fields = json.loads(manifest_json)
    return Glance(fields["accepts"], fields["scale"]["min"], fields["scale"]["max"])


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


def _batch(manifest: Manifest, override: Func | None) -> BatchRule | None:
    told = (override and override.batch) or manifest.batch
    return BatchRule(told.max_size, told.max_wait) if told else None


def _interpreter(environment: Path) -> Path:
    return environment / "bin" / "python"


def _output(state: StateDir, function: str) -> Path:
    folder = state.output / function
    folder.mkdir(parents=True, exist_ok=True)
    return folder
