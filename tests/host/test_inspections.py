"""A deploy tells what pickles are made of, keeps it, and refuses what the policy or the package says."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import ROOT, Files, RunningHost, StartHost, zip_of
from tests.worker.test_old_models import DECLARED, make_models, sklearn_wheel

LISTS = """
allow: ["sklearn.*", "copyreg.*", "builtins.*"]
deny: ["builtins.eval"]
"""
BARE = "def index(event, context):\n    return 1\n"
HIDDEN = (
    "def index(event, context):\n    return 1\ndef init(context):\n    context.model('m.bin', 'pickle')\n"
)


def deployed(host: RunningHost, name: str, files: Files) -> list[dict[str, Any]]:
    return host.deploy_zip(zip_of(files), name)


def lines_of(told: list[dict[str, Any]]) -> list[str]:
    return [each["line"] for each in told if each["type"] in ("log", "note")]


@pytest.fixture
def elderly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A package with a model of scikit-learn 1.2.0, which gets 1.7.2."""
    model = make_models(monkeypatch, "sklearn.tree.Tree", {"_sklearn_version": "1.2.0"})
    manifest = "model: model.pkl\n"
    return {"index.py": DECLARED, "function.yaml": manifest, "model.pkl": model, **sklearn_wheel(tmp_path)}


def test_a_model_of_another_version_is_told_at_deploy_and_kept_with_the_revision(
    shared_host: RunningHost, elderly: dict[str, Any]
) -> None:
    told = deployed(shared_host, "inspected", {**elderly, "other.pkl": pickle.dumps(pickle.Pickler)})
    lines = lines_of(told)
    mismatch = (
        "was made with scikit-learn 1.2.0, and its environment has 1.7.2; "
        "pin scikit-learn==1.2.0 in requirements.txt, or export it again with 1.7.2"
    )
    assert "model.pkl needs sklearn 1.2.0" in lines
    assert f"model.pkl {mismatch}" in lines
    assert any(line.startswith("loading it warns: InconsistentVersionWarning: ") for line in lines)
    assert told[-1]["type"] == "done"
    url = f"{shared_host.url}/api/functions/inspected/revisions"
    shown = shared_host.client.get(f"{url}/1").json()
    assert (shown["number"], shown["state"]) == (1, "ready")
    inspection = shown["inspection"]
    first, second = inspection["pickles"]
    assert (first["file"], first["versions"], first["mismatches"]) == (
        "model.pkl",
        {"scikit-learn": "1.2.0"},
        [mismatch],
    )
    assert (second["imports"], second["lacking"]) == (["_pickle.Pickler"], [])
    assert inspection["models"] == {"default": "model.pkl"} and inspection["wheels"]
    assert shared_host.client.get(f"{url}/7").status_code == 404


def test_strict_versions_refuse_a_model_of_another_version(
    shared_host: RunningHost, elderly: dict[str, Any]
) -> None:
    strict = {**elderly, "function.yaml": "model: model.pkl\nstrict_versions: true\n"}
    done = deployed(shared_host, "strict", strict)[-1]
    assert done["title"] == "The package is refused for its pickles"
    assert done["detail"].startswith(
        "model.pkl was made with scikit-learn 1.2.0, and its environment has 1.7.2"
    )
    assert done["detail"].endswith("(`strict_versions` in function.yaml)")


def test_what_a_pickle_imports_and_the_environment_lacks_is_told(
    shared_host: RunningHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_models(monkeypatch, "shelves.wide.Shelf", {})
    package: dict[str, str | bytes] = {"index.py": BARE, "m.pkl": model, "broken.pkl": b"\x80\x04R."}
    lines = lines_of(deployed(shared_host, "lacking", package))
    assert "m.pkl imports shelves, which its environment does not have" in lines
    assert "broken.pkl is no pickle, or a broken one: its opcodes do not fit together" in lines
    package["shelves.py"] = "class wide:\n    pass\n"
    assert not any("shelves, which" in line for line in lines_of(deployed(shared_host, "lacking", package)))


def test_the_policy_refuses_imports_at_deploy_and_when_a_model_is_loaded(
    start_host: StartHost, tmp_path: Path
) -> None:
    (tmp_path / "pickles.yaml").write_text(LISTS)
    host = start_host(f"pickles: {{policy: {tmp_path}/pickles.yaml}}\n")
    hostile: Files = {"index.py": BARE, "deep/m.pkl": b"cos\nsystem\n."}
    told = host.deploy(hostile, "refused")
    assert told["detail"] == (
        "deep/m.pkl imports os.system, and the host's policy for pickles says "
        "that no line under `allow` names it"
    )
    # Of protocol 0, and not called a pickle: it is seen only when it is loaded.
    for name, line in (("eval", "says `builtins.eval` under `deny`"), ("str", None)):
        files: dict[str, str | bytes] = {"index.py": HIDDEN, "m.bin": b"c__builtin__\n%s\n." % name.encode()}
        told = host.deploy(files, name)
        if line is None:
            assert told["type"] == "done", told
        else:
            assert told["detail"].startswith("m.bin imports __builtin__.eval, and the host's policy")
            assert told["detail"].endswith(line)


def test_the_host_has_no_pickle_of_its_own_at_hand() -> None:
    # Python's own `pickle` comes with uvicorn, by multiprocessing; nothing of ours imports it.
    code = "import sys, host.compose, host.cli.inspect, host.deployment.inspection\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"cloudpickle", "joblib"}.isdisjoint(done.stdout.split())
