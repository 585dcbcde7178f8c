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

GRID = """
import json, pickle, sys, warnings
warnings.simplefilter("error")
with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
points = [[188, 134], *([t, h] for t in range(0, 201, 8) for h in range(0, 201, 8))]
print(json.dumps(model.predict(points).tolist()))
"""


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_package_of_its_own_name(name: str, tmp_path: Path) -> None:
    pack_folder(sample_path(name), tmp_path / "p.zip")
    assert open_package(tmp_path / "p.zip", tmp_path / "staging").manifest.name == name


def test_another_name_is_no_sample() -> None:
    with pytest.raises(LookupError, match="industry and test"):
        sample_path("nobody")


def industry(event: object) -> Any:
    index = runpy.run_path(str(sample_path("industry") / "index.py"))["index"]
    return index(event, SimpleNamespace(logger=logging.getLogger("sample")))


def test_industry_adds_a_temperature_to_text_and_to_dicts() -> None:
    text = '{"type":"Pickup truck","year":2020}\n'
    answer = industry(text)
    assert list(answer) == ["temperature", "payload"]
    assert answer["payload"] == text and 40 <= answer["temperature"] <= 80
    assert industry(text) == answer
    assert industry({"year": 2020}).keys() == {"year", "temperature"}
    assert {industry(str(n))["temperature"] for n in range(2000)} == set(range(40, 81))


def answers(python: Path, model: Path) -> list[int]:
    done = subprocess.run([python, "-c", GRID, model], capture_output=True, text=True, check=True, timeout=60)
    return [int(label) for label in json.loads(done.stdout)]


def test_training_again_gives_the_answers_of_the_shipped_model(tmp_path: Path) -> None:
    source = tmp_path / "test"
    shutil.copytree(sample_path("test"), source, ignore=shutil.ignore_patterns("*.pkl"))
    needed = (*read_requirements(source), "cloudpickle")
    order = BuildOrder(tmp_path / "venv", tmp_path / "log", requirements=needed)
    python = asyncio.run(build_environment(order, lambda line: None))
    subprocess.run([python, source / "train.py"], check=True, timeout=60)
    shipped = answers(python, sample_path("test") / "model.pkl")
    assert shipped == answers(python, source / "model.pkl")
    assert shipped[0] == 1 and set(shipped) == {0, 1}
    index = "import index, types, pickle\n"
    index += "model = pickle.loads(open('model.pkl', 'rb').read())\n"
    index += "print(repr(index.index({'t': 188, 'h': 134}, types.SimpleNamespace(model=lambda: model))))"
    done = subprocess.run(
        [python, "-c", index], cwd=source, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "'1'\n"
