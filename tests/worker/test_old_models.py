"""A model of a scikit-learn too old for the installed one is refused with what to do; pickles are not run."""

import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runtime.worker.pickles import find_pickles, inspect_pickle
from tests.functions.wheelhouse import WHEEL, make_wheel
from tests.hosts import Files, RunningHost, zip_of
from tests.worker.deploying import answer, wait_for_line

SKLEARN = """
import warnings
VERSION = "1.7.2"
class InconsistentVersionWarning(UserWarning):
    pass
class Base:
    def __setstate__(self, state):
        if state.get("nodes") == "old":
            raise ValueError("node array from the pickle has an incompatible dtype")
        if state.get("_sklearn_version") != VERSION:
            warnings.warn("Trying to unpickle estimator " + type(self).__name__, InconsistentVersionWarning)
        self.__dict__.update(state)
    def predict(self):
        return 1
class Tree(Base):
    pass
"""
DECLARED = "def index(event, context):\n    return [each.predict() for each in context.model()]\n"
OWN = """
import pickle
with open("deep/model.sav", "rb") as file:
    models = pickle.load(file)
def index(event, context):
    return len(models)
"""


def sklearn_wheel(folder: Path) -> dict[str, bytes]:
    """What a package needs to bring its own scikit-learn 1.7.2, which is very small."""
    path = folder / "scikit_learn-1.7.2-py3-none-any.whl"
    info = "scikit_learn-1.7.2.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("sklearn/__init__.py", "")
        wheel.writestr("sklearn/tree.py", SKLEARN)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.7.2\n")
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")
    return {f"wheels/{path.name}": path.read_bytes(), "requirements.txt": b"scikit-learn\n"}


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, bytes]:
    return sklearn_wheel(tmp_path)


def make_models(
    monkeypatch: pytest.MonkeyPatch, where: str, *states: dict[str, Any], protocol: int = 4
) -> bytes:
    """A pickled list of models of the class that `where` names, each with such a state."""
    module, _, name = where.rpartition(".")
    made = ModuleType(module)
    kind = type(name, (), {"__module__": module})
    setattr(made, name, kind)
    models = []
    for state in states:
        models.append(kind())
        models[-1].__dict__.update(state)
    with monkeypatch.context() as patch:
        parts = module.split(".")
        for count in range(1, len(parts)):
            patch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(parts[0]))
        patch.setitem(sys.modules, module, made)
        return pickle.dumps(models, protocol)


def detail(host: RunningHost, name: str, files: Files) -> str:
    told = host.deploy(files, name)
    assert told["type"] == "error", told
    return str(told["detail"])


def test_a_declared_model_whose_classes_have_moved_is_refused_with_what_to_do(
    shared_host: RunningHost, wheels: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_models(monkeypatch, "sklearn.ensemble.forest.Forest", {"_sklearn_version": "0.22.1"})
    files: Files = {"index.py": DECLARED, "function.yaml": "model: model.pkl\n", "model.pkl": model, **wheels}
    assert detail(shared_host, "moved", files) == (
        "model.pkl was made with scikit-learn 0.22.1, and the installed 1.7.2 cannot read it "
        "(ModuleNotFoundError: No module named 'sklearn.ensemble'). "
        "Train and export it again with 1.7.2 or export it to ONNX"
    )


@pytest.mark.parametrize("index", [OWN, f"def init(context):{OWN}".replace("\n", "\n    ")])
def test_a_model_that_the_package_reads_by_itself_is_found_and_explained(
    shared_host: RunningHost, wheels: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    state = {"nodes": "old", "_sklearn_version": "1.2.0"}
    files: Files = {
        "index.py": index + "\ndef index(event, context):\n    return 1\n",
        "deep/model.sav": make_models(monkeypatch, "sklearn.tree.Tree", state),
        "deep/fine.pkl": make_models(monkeypatch, "sklearn.tree.Tree", {"_sklearn_version": "1.7.2"}),
        **wheels,
    }
    assert detail(shared_host, "own", files) == (
        "deep/model.sav was made with scikit-learn 1.2.0, and the installed 1.7.2 cannot read it "
        "(ValueError: node array from the pickle has an incompatible dtype). "
        "Train and export it again with 1.7.2, pin scikit-learn==1.2.0 in requirements.txt, "
        "or export it to ONNX"
    )


def test_a_missing_class_and_an_untold_version_are_explained_as_well(
    shared_host: RunningHost, wheels: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Files = {
        "deep/model.sav": make_models(monkeypatch, "sklearn.tree.Gone", {"n": 1}),
        "index.py": OWN,
    }
    told = detail(shared_host, "untold", {**files, **wheels})
    assert told.startswith("deep/model.sav was made with a scikit-learn that it does not tell, and the")
    assert "AttributeError: Can't get attribute 'Gone' on <module 'sklearn.tree'" in told


def test_without_any_scikit_learn_its_absence_is_told(
    shared_host: RunningHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_models(monkeypatch, "sklearn.tree.Tree", {"_sklearn_version": "1.5.0"})
    files: Files = {"index.py": DECLARED, "function.yaml": "model: model.pkl\n", "model.pkl": model}
    assert detail(shared_host, "absent", files) == (
        "model.pkl was made with scikit-learn 1.5.0, and none is installed: "
        "add scikit-learn==1.5.0 to requirements.txt"
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "from sklearn.externals import joblib\n",
            "index.py:1: ModuleNotFoundError: No module named 'sklearn.externals'",
        ),
        (
            "from sklearn.tree import Gone\n",
            "index.py:1: ImportError: cannot import name 'Gone' from 'sklearn.tree'",
        ),
        ("int('x')\n", "index.py:1: ValueError: invalid literal for int()"),
    ],
)
def test_what_the_code_does_wrong_is_not_blamed_on_a_model(
    shared_host: RunningHost, wheels: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    model = make_models(monkeypatch, "sklearn.tree.Tree", {"_sklearn_version": "1.2.0"})
    files: Files = {"index.py": code, "model.pkl": model, **wheels}
    assert detail(shared_host, "blamed", files).startswith(told)


def test_a_model_of_another_version_that_still_loads_is_a_warning_in_the_log_once(
    shared_host: RunningHost, wheels: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    states = [{"_sklearn_version": "1.2.0"}] * 3
    files: Files = {
        "index.py": DECLARED,
        "function.yaml": "model: model.pkl\nscale: {min: 2}\n",
        "model.pkl": make_models(monkeypatch, "sklearn.tree.Tree", *states),
        **wheels,
    }
    lines = shared_host.deploy_zip(zip_of(files), "elderly")
    assert {"type": "log", "line": "model.pkl needs sklearn 1.2.0"} in lines
    assert answer(shared_host, "elderly") == [1, 1, 1]
    told = wait_for_line(shared_host, "elderly", lambda line: "InconsistentVersionWarning" in line["line"])
    assert told["level"] == "warning"
    assert sum("InconsistentVersionWarning: " in line["line"] for line in shared_host.logs("elderly")) == 1


@pytest.mark.parametrize("protocol", range(6))
def test_what_a_pickle_imports_is_read_from_every_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    file = tmp_path / "m.pkl"
    states = ({"x": make_wheel, "_sklearn_version": "0.9"}, {"_sklearn_version": "0.9"})
    file.write_bytes(make_models(monkeypatch, "sklearn.svm.SVC", *states, protocol=protocol))
    report = inspect_pickle(file)
    assert set(report.foreign) == {"sklearn.svm.SVC", "tests.functions.wheelhouse.make_wheel"}
    assert str(report) == "sklearn 0.9, tests"


class Hostile:
    """Would make a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return open, (self.path, "w")


def test_hostile_broken_and_empty_pickles_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    whole = pickle.dumps([Hostile(tmp_path / "made"), make_models])
    contents = {
        "a.pkl": whole,
        "b.joblib": whole[:-1] + b"\x00\xff raw array" * 9,
        "c.pickle": b"",
        "d.PKL": b"no pickle",
        "e.bin": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f",
        "f.txt": b"text",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert [path.name for path in find_pickles(tmp_path)] == sorted(contents.keys() - {"f.txt"})
    reports = {path.name: inspect_pickle(path) for path in find_pickles(tmp_path)}
    assert {name for name, report in reports.items() if report.fault is None} == {"a.pkl"}
    assert [str(report) for report in reports.values()] == ["tests"] * 2 + ["nothing but Python"] * 3
    assert not (tmp_path / "made").exists()
