"""A deploy tells what pickles are made of, keeps it, and refuses what the policy or the package says."""

import asyncio
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from functions.base_set import BaseSet
from functions.installed import Installed
from functions.package import Package, open_package
from host.deployment import inspector as inspector_module
from host.deployment.deployer import MOST_LINES, _tell_lines
from host.deployment.inspection import InspectionError, inspect_package, judge
from host.deployment.inspector import Inspector
from host.deployment.scan_pickles import scan
from host.state import StateDir
from runtime.worker.pickle_policy import PicklePolicy
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


DENY = PicklePolicy(deny=("os.*",))
STUB = b"\x5d\x00\x00" + b"\xff" * 100
"""Begins as LZMA does, and is none."""


def opened(tmp_path: Path, files: Files) -> Package:
    (tmp_path / "p.zip").write_bytes(zip_of({"index.py": BARE, **files}))
    return open_package(tmp_path / "p.zip", tmp_path / "p")


def test_one_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    package = opened(tmp_path, {"a.bin": STUB, "m.pkl": b"cos\nsystem\n."})
    judged = judge(inspect_package(package, BaseSet()), DENY)
    first, second = judged.refusal.split("; ") if judged.refusal else ("", "")
    assert first.startswith("a.bin cannot be read (LZMAError), so the host's policy")
    assert second.startswith("m.pkl imports os.system, and the host's policy")


@pytest.mark.parametrize(
    ("bound", "fault"),
    [
        ("runtime.worker.pickles.MOST_FILES", "the package has more than 1 pickles"),
        ("host.deployment.scan_pickles.MOST_NAMES", "its pickles import more than 1 names in all"),
    ],
)
def test_pickles_beyond_the_bound_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, fault: str
) -> None:
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n)R.")
    assert scan(tmp_path)["fault"] is None
    monkeypatch.setattr(bound, 1)
    assert scan(tmp_path)["fault"] == f"{fault}; those that come after a.pkl are not known"


def test_a_look_that_did_not_end_refuses_the_package_where_there_is_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.deployment.inspection.TIME_LIMIT", 0.0)
    package = opened(tmp_path, {})
    assert asyncio.run(Inspector(StateDir(tmp_path), PicklePolicy()).inspect(package, BaseSet())).fault
    with pytest.raises(InspectionError, match=r"not known: .* so the host's policy for pickles cannot be"):
        asyncio.run(Inspector(StateDir(tmp_path), DENY).inspect(package, BaseSet()))


def test_what_a_package_makes_long_is_judged_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def note(*given: Any) -> Any:
        threads.append(threading.current_thread())
        return judge(*given)

    monkeypatch.setattr(inspector_module, "judge", note)
    asyncio.run(Inspector(StateDir(tmp_path), DENY).inspect(opened(tmp_path, {}), BaseSet()))
    assert threads and threading.current_thread() not in threads


def test_each_folder_is_read_once_however_many_names_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelves").mkdir()
    (tmp_path / "shelves" / "wide.py").touch()
    read, iterdir = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda folder: read.append(folder) or iterdir(folder))  # type: ignore[func-returns-value]
    names = [f"shelves.{module}.f" for module in ("wide", "deep", "*")] * 2
    names += ["shelves.Wide.f", "a name that it computes"]
    assert Installed({}, "3.11", (tmp_path,), ()).lacking(names) == {
        f"shelves.{module}.f": f"shelves.{module}" for module in ("deep", "*")
    }
    assert read == [tmp_path, tmp_path / "shelves"]


def test_lines_of_a_deploy_are_bounded() -> None:
    told: list[dict[str, Any]] = []
    _tell_lines(told.append, "note", ["x" * 10_000] * 10_000)
    assert len(told) == MOST_LINES + 1 and len(told[0]["line"]) == 2000
    assert told[-1]["line"].startswith("and more of the kind")


def test_the_host_has_no_pickle_of_its_own_at_hand() -> None:
    # Python's own `pickle` comes with uvicorn, by multiprocessing; nothing of ours imports it.
    code = "import sys, host.compose, host.cli.inspect, host.deployment.inspection\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"cloudpickle", "joblib"}.isdisjoint(done.stdout.split())
