"""Model files are found by name or suffix and loaded once."""

import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import cloudpickle
import pytest

from runtime.worker.failures import LoadError
from runtime.worker.models import Models


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with two models."""
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"model": "a"}))
    (tmp_path / "deep").mkdir()
    factor = 3
    (tmp_path / "deep" / "b.CLOUDPICKLE").write_bytes(cloudpickle.dumps(lambda x: x * factor))
    return tmp_path


def test_a_model_is_loaded_by_its_suffix_and_only_once(package: Path) -> None:
    models = Models(str(package), {})
    first = models.load("a.pkl")
    (package / "a.pkl").write_bytes(b"changed")
    assert first == {"model": "a"}
    assert models.load("a.pkl") is first
    assert models.load("deep/b.CLOUDPICKLE")(2) == 6


def test_the_only_model_of_a_package_needs_no_path(package: Path) -> None:
    assert Models(str(package), {}).load() == {"model": "a"}


def test_a_declared_name_stands_for_its_file(package: Path) -> None:
    models = Models(str(package), {"trend": "deep/b.CLOUDPICKLE"})
    models.load_declared()
    assert models.load("trend") is models.load()
    assert Models(str(package), {"default": "a.pkl", "other": "deep/b.CLOUDPICKLE"}).load() == {"model": "a"}


def test_without_a_path_several_models_or_none_are_an_error_that_names_them(package: Path) -> None:
    (package / "c.PKL").write_bytes(b"")
    (package / "none").mkdir()
    with pytest.raises(LoadError, match=r"needs a path: model files in the package: a\.pkl, c\.PKL"):
        Models(str(package), {}).load()
    with pytest.raises(LoadError, match=r"model files in the package: none"):
        Models(str(package / "none"), {}).load()


def test_a_file_that_is_not_there_is_named(package: Path) -> None:
    with pytest.raises(LoadError, match=r"the model 'x\.pkl' is not in the package"):
        Models(str(package), {}).load("x.pkl")


def test_a_suffix_that_says_nothing_needs_a_loader(package: Path) -> None:
    (package / "model.bin").write_bytes(pickle.dumps(7))
    models = Models(str(package), {})
    with pytest.raises(LoadError, match=r"no loader is known for model\.bin; say loader= one of cloudpickle"):
        models.load("model.bin")
    assert models.load("model.bin", loader="pickle") == 7
    assert models.load("model.bin", loader=lambda path: Path(path).name) == "model.bin"


def test_joblib_loads_its_own_files(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = ModuleType("joblib")
    stub.load = lambda path: f"joblib read {Path(path).name}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "joblib", stub)
    (package / "m.joblib").write_bytes(b"")
    assert Models(str(package), {}).load("m.joblib") == "joblib read m.joblib"


def test_threads_that_ask_at_the_same_time_get_one_model_that_was_loaded_once(package: Path) -> None:
    models = Models(str(package), {})
    begun, go_on = threading.Event(), threading.Event()
    loads: list[str] = []

    def load(path: str) -> object:
        loads.append(path)
        begun.set()
        assert go_on.wait(30)
        return [models.load("deep/b.CLOUDPICKLE")(2)]

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(models.load, "a.pkl", load)
        assert begun.wait(30)
        second = threads.submit(models.load, "a.pkl", load)
        assert models.load("a.pkl") == {"model": "a"}, "others go on meanwhile"
        go_on.set()
        assert first.result(30) is second.result(30)
    assert len(loads) == 1
