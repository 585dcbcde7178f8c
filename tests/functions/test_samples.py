"""The shipped sample packages open, answer, and can be made again."""

import asyncio
import json
import logging
import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.environment import BuildOrder, build_environment
from functions.package import open_package, pack_folder
from functions.requirements import read_requirements
from functions.sample_packages import SAMPLES, sample_path

# All in one process, since importing scikit-learn is most of the work.
TRAIN_AND_ASK = """
import json, pickle, runpy, sys, types, warnings
source, shipped = sys.argv[1:]
runpy.run_path(f"{source}/train.py", run_name="__main__")
warnings.simplefilter("error")
points = [[188, 134], *([t, h] for t in range(0, 201, 8) for h in range(0, 201, 8))]
models = [pickle.loads(open(f"{folder}/model.pkl", "rb").read()) for folder in (source, shipped)]
index = runpy.run_path(f"{source}/index.py")["index"]
answer = index({"t": 188, "h": 134}, types.SimpleNamespace(model=lambda: models[0]))
print(json.dumps([*(model.predict(points).tolist() for model in models), answer]))
"""


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_package_of_its_own_name(name: str, tmp_path: Path) -> None:
    pack_folder(sample_path(name), tmp_path / "p.zip")
    assert open_package(tmp_path / "p.zip", tmp_path / "staging").manifest.name == name


def test_another_name_is_no_sample() -> None:
    with pytest.raises(LookupError, match="industry and test"):
        sample_path("nobody")


def test_industry_adds_a_temperature_to_text_and_to_dicts() -> None:
    index = runpy.run_path(str(sample_path("industry") / "index.py"))["index"]

    def industry(event: object) -> Any:
        return index(event, SimpleNamespace(logger=logging.getLogger("sample")))

    text = '{"type":"Pickup truck","year":2020}\n'
    answer = industry(text)
    assert list(answer) == ["temperature", "payload"]
    assert answer["payload"] == text and 40 <= answer["temperature"] <= 80
    assert industry(text) == answer
    assert industry({"year": 2020}).keys() == {"year", "temperature"}
    assert {industry(str(n))["temperature"] for n in range(2000)} == set(range(40, 81))


def test_training_again_gives_the_answers_of_the_shipped_model(tmp_path: Path) -> None:
    source = tmp_path / "test"
    shutil.copytree(sample_path("test"), source, ignore=shutil.ignore_patterns("*.pkl"))
    needed = (*read_requirements(source), "cloudpickle")
    order = BuildOrder(tmp_path / "venv", tmp_path / "log", requirements=needed)
    python = asyncio.run(build_environment(order, lambda line: None))
    command = [str(python), "-c", TRAIN_AND_ASK, str(source), str(sample_path("test"))]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    again, shipped, answer = json.loads(done.stdout)
    assert shipped == again
    assert shipped[0] == 1 and set(shipped) == {0, 1}
    assert answer == "1"
