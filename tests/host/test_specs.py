"""What a pool runs with: the manifest, and over it, key by key, what the config says."""

import os
from pathlib import Path
from typing import Any

import pytest

from conf.funcs import Func
from functions.manifest import read_manifest
from functions.registry import Revision
from host.deployment.additions import Additions
from host.deployment.specs import make_spec
from host.state import StateDir
from runtime.boot import BootError
from runtime.spec import MIB, BatchRule, PoolSpec, ScaleRule


def spec_of(folder: Path, manifest: str, override: dict[str, Any] | None = None) -> PoolSpec:
    revision = Revision("f", 1, "ab" * 32, "", read_manifest(manifest).model_dump_json(), "ready", None, 0.0)
    told = Func.model_validate({"modelName": "f", **override}) if override is not None else None
    return make_spec(revision, StateDir(folder), Additions({"f": told} if told else {}))


@pytest.mark.parametrize(
    ("manifest", "override", "rule"),
    [
        ("", None, ScaleRule()),
        ("", {}, ScaleRule(0, 4, 0.7, 60.0, 600.0)),
        ("scale: {min: 2, max: 3}", None, ScaleRule(2, 3)),
        ("scale: {min: 1, target: 0.5, idle: 5s}", {}, ScaleRule(1, 4, 0.5, 5.0)),
        ("scale: {min: 1, target: 0.5, idle: 5s}", {"target": 0.9}, ScaleRule(1, 4, 0.9, 5.0)),
        ("scale: {min: 1, keep_warm: 1h}", {"idle": "0s", "keep_warm": "0s"}, ScaleRule(1, 4, 0.7, 0.0, 0.0)),
        ("scale: {min: 1, max: 2}", {"min": 3}, ScaleRule(3, 3)),
        ("scale: {min: 3, max: 4}", {"max": 2}, ScaleRule(2, 2)),
        ("scale: {min: 3, max: 4}", {"min": 0}, ScaleRule(0, 4)),
        ("scale: {min: 3, max: 4}", {"min": 1, "max": 2}, ScaleRule(1, 2)),
    ],
)
def test_the_config_wins_over_the_manifest_key_by_key(
    tmp_path: Path, manifest: str, override: dict[str, Any] | None, rule: ScaleRule
) -> None:
    told = None if override is None else {"scale": override}
    assert spec_of(tmp_path, manifest, told).scale == rule


def test_a_batch_of_the_config_wins_as_a_whole(tmp_path: Path) -> None:
    manifest = "batch: {max_size: 8, max_wait: 1s}"
    assert spec_of(tmp_path, "").batch is None
    assert spec_of(tmp_path, manifest, {}).batch == BatchRule(8, 1.0)
    assert spec_of(tmp_path, manifest, {"batch": {"max_size": 2}}).batch == BatchRule(2, 0.005)


@pytest.mark.parametrize(
    ("preload", "is_forked", "is_checked"),
    [("true", True, True), ("false", False, True), ("always", True, False)],
)
def test_preload_always_forks_without_asking(
    tmp_path: Path, preload: str, is_forked: bool, is_checked: bool
) -> None:
    spec = spec_of(tmp_path, f"preload: {preload}")
    assert (spec.preload, spec.check_fork) == (is_forked, is_checked)


def test_the_config_wins_over_the_resources_of_the_manifest_key_by_key(tmp_path: Path) -> None:
    manifest = "resources: {memory: 64MiB, cpu: 0.5, cpu_max: 1}"
    assert (found := spec_of(tmp_path, manifest)).memory == 64 * MIB and found.cpu_max == 1
    found = spec_of(tmp_path, manifest, {"memory": "1GiB", "resources": {"cpu_max": 2}})
    assert (found.memory, found.cpu_max) == (1024 * MIB, 2)
    assert spec_of(tmp_path, "memory: 8MiB", {"resources": {"memory": "9MiB"}}).memory == 9 * MIB
    assert spec_of(tmp_path, manifest, {"resources": {"cpu": 4}}).cpu_max == 4


def test_no_more_instances_are_planned_than_the_machine_has_cores_for(tmp_path: Path) -> None:
    cores = os.cpu_count() or 1
    assert spec_of(tmp_path, "scale: {max: 64}").scale.max == 64
    assert spec_of(tmp_path, "scale: {max: 64}\nresources: {cpu: 0.5}").scale.max == min(64, 2 * cores)
    assert spec_of(tmp_path, f"scale: {{min: 3}}\nresources: {{cpu: {cores + 1}}}").scale == ScaleRule(1, 1)


def test_what_is_too_large_to_be_told_to_an_arbiter_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BootError, match=r"`env` of f has 40\d\d\d bytes"):
        spec_of(tmp_path, f"env: {{X: {'a' * 40_000}}}")
    paths = ", ".join(f"/{'p' * 1000}/{number}" for number in range(60))
    with pytest.raises(BootError, match="`python_path` of f have 6"):
        spec_of(tmp_path, f"python_path: [{paths}]")


def test_only_the_config_opens_folders_of_the_machine(tmp_path: Path) -> None:
    assert spec_of(tmp_path, "python_path: [/srv/models]").reads == ()
    entry = {"entry": "m.f", "pythonPath": ["/srv/models"], "reads": ["/data/a"], "writes": ["/data/b"]}
    found = spec_of(tmp_path, "", entry)
    assert found.reads == (Path("/data/a"), Path("/srv/models"))
    assert found.writes == (Path("/data/b"),)


def test_a_function_is_offline_when_either_says_so(tmp_path: Path) -> None:
    offline = {"network": "none"}
    assert spec_of(tmp_path, "").network and spec_of(tmp_path, "", {"network": "allow"}).network
    assert not spec_of(tmp_path, "network: none", {"network": "allow"}).network
    assert not spec_of(tmp_path, "", offline).network


def test_processes_of_the_config_win_over_those_of_the_manifest(tmp_path: Path) -> None:
    assert spec_of(tmp_path, "").processes == 0
    assert spec_of(tmp_path, "processes: 4", {}).processes == 4
    assert spec_of(tmp_path, "processes: 4", {"processes": 0}).processes == 0
