"""`fnhost inspect`."""

import json
import pickle
import random
from pathlib import Path

import pytest

from tests.cli.running import fnhost
from tests.hosts import zip_of
from tests.worker.test_old_models import make_models

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zip whose code would end the test if it ran."""
    path = tmp_path / "industry.zip"
    files: dict[str, str | bytes] = {
        "index.py": "raise SystemExit(7)\ndef index(event, context):\n    return 1\n",
        "function.yaml": "model: model.pkl\n",
        "requirements.txt": "scikit-learn==1.7.2\n",
        "model.pkl": make_models(monkeypatch, "sklearn.tree.Tree", {"_sklearn_version": "1.2.0"}),
        "other.pkl": pickle.dumps(random.Random),
    }
    path.write_bytes(zip_of(files))
    return path


def test_a_package_is_told_without_a_host_and_without_running_it(package: Path) -> None:
    result = fnhost(NOWHERE, "inspect", str(package))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "requirements: scikit-learn==1.7.2" in lines
    assert "models:       default: model.pkl" in lines
    assert "  made with   scikit-learn 1.2.0" in lines
    assert "  imports     random.Random" in lines
    assert lines[-1] == (
        "note: model.pkl was made with scikit-learn 1.2.0, and its environment has 1.7.2; "
        "pin scikit-learn==1.2.0 in requirements.txt, or export it again with 1.7.2"
    )


def test_a_folder_is_told_as_json(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("def index(event, context):\n    return 1\n")
    (tmp_path / "m.sav").write_bytes(pickle.dumps(random.Random))
    (tmp_path / "function.yaml").write_text("input: {type: object}\n")
    told = json.loads(fnhost(NOWHERE, "inspect", str(tmp_path), "-o", "json").stdout)
    assert (told["file_count"], told["input"]) == (3, {"type": "object"})
    assert [each["imports"] for each in told["pickles"]] == [["random.Random"]]


def test_the_policy_of_a_config_is_held_against_it(package: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('pickles: {deny: ["random.*"]}\n')
    result = fnhost(NOWHERE, "inspect", str(package), "--config", str(config))
    assert result.exit_code == 5
    assert (
        "other.pkl imports random.Random, and the host's policy for pickles says `random.*`" in result.stderr
    )


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    result = fnhost(NOWHERE, "inspect", str(tmp_path / "x.zip"))
    assert result.exit_code == 5 and "zip" in result.stderr


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ("pickles: {policy: absent.yaml}\n", "absent.yaml cannot be read"),
        ("pickles: {policy: p.yaml, deny: [os.*]}\n", "write either `policy`, or `allow` and `deny`"),
        ('pickles: {deny: ["os system"]}\n', "is no name of an import with wildcards"),
        ("pickles: {policy: broken.yaml}\n", "broken.yaml: "),
    ],
)
def test_a_policy_that_cannot_be_read_is_a_fault_of_the_config(
    package: Path, tmp_path: Path, policy: str, fault: str
) -> None:
    (tmp_path / "p.yaml").write_text("deny: [os.*]\n")
    (tmp_path / "broken.yaml").write_text("forbid: [os.*]\n")
    config = tmp_path / "config.yaml"
    config.write_text(policy)
    result = fnhost(NOWHERE, "inspect", str(package), "--config", str(config))
    assert result.exit_code == 2 and fault in result.stderr
