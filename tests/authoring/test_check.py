"""`fnhost check`: what a deploy would say, without a host."""

import json
from pathlib import Path
from typing import Any

import pytest

from conf.models import Config
from functions.manifest import read_manifest
from host.authoring.entry_search import entry_fault
from host.authoring.examination import Findings, examine
from tests.cli.running import fnhost
from tests.functions.wheelhouse import make_wheel
from tests.hosts import zip_of

CODE = "def index(event, context): return event\n"


def package(folder: Path, **files: str) -> Path:
    """A folder with a sound package, and these files over it; `_` in their names is a dot."""
    made = folder / "sound"
    for name, text in {"index_py": CODE, "samples/a_json": "{}", **files}.items():
        path = made / name.replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return made


def look(path: Path, **config: Any) -> Findings:
    return examine(path, Config.model_validate(config), is_given=bool(config))


def test_a_sound_package_would_be_taken(tmp_path: Path) -> None:
    result = fnhost("", "check", str(package(tmp_path)))
    assert (result.exit_code, result.stdout) == (0, "sound: a host would take it\n")


def test_all_faults_are_told_at_once_with_exit_code_5(tmp_path: Path) -> None:
    folder = package(
        tmp_path,
        index_py="import numpy\ndef indx(event): pass\n",
        other_py="x = (\n",
        function_yaml="isolation: subinterpreter\npython: '3.11'\nsecrets: [KEY]\n",
    )
    result = fnhost("", "check", str(folder), "-o", "json")
    assert result.exit_code == 5 and "index.py has no function `index` or `handler`" in result.stderr
    told = json.loads(result.stdout)
    assert [line.split(";")[0] for line in told["refused"]] == [
        "index.py has no function `index` or `handler`",
        "`isolation: subinterpreter` needs Python 3.13 or newer, but this package gets 3.11",
    ]
    assert told["notes"][0] == "other.py:1: '(' was never closed; importing it fails"
    assert any(line.startswith("index.py:1 imports numpy, which nothing provides") for line in told["notes"])
    assert told["unchecked"] == ["whether the host has the secrets KEY; see with --config"]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"function_yaml": "scal: {}\n"}, "line 1: scal: is not a known key"),
        ({"index_py": "def index(:\n"}, "index.py:1: invalid syntax"),
        ({"function_yaml": "model: m.pkl\n"}, "which is not in the package"),
        ({"requirements_txt": "-e .\n"}, "requirements.txt:1: "),
        ({"function_yaml": "handler: other:run\n"}, "the package has no other.py"),
    ],
)
def test_what_a_deploy_refuses_at_once_is_refused(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    assert [fault in line for line in look(package(tmp_path, **files)).refused] == [True]


def test_a_zip_is_held_against_the_limits_of_the_config(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    path.write_bytes(zip_of({"index.py": CODE, "model.bin": bytes(5000)}))
    assert look(path).refused == []
    assert "`limits.package`" in look(path, limits={"package": 4000}).refused[0]
    assert "`limits.unpacked`" in look(path, limits={"unpacked": 4000}).refused[0]
    path.write_bytes(b"PK nothing")
    assert len(look(path).refused) == 1


def test_secrets_are_looked_for_in_the_config(tmp_path: Path) -> None:
    folder = package(tmp_path, function_yaml="secrets: [KEY]\n")
    assert "needs the secret KEY" in look(folder, secrets={}, limits={}).refused[0]
    assert look(folder, secrets={"KEY": "x"}).refused == []


def test_requirements_are_resolved_from_the_packages_own_wheels_only(tmp_path: Path) -> None:
    folder = package(tmp_path, requirements_txt="gauge==1.0\n")
    found = look(folder)
    assert (found.refused, found.unchecked) == ([], ["whether an index has the requirements: gauge==1.0"])
    make_wheel(folder / "wheels", "gauge", "2.0")
    assert "gauge==1.0 cannot be had" in look(folder).refused[0]
    make_wheel(folder / "wheels", "gauge", "1.0")
    found = look(folder)
    assert (found.refused, found.notes, found.unchecked) == ([], [], [])


def test_a_python_that_is_not_here_is_a_note_since_the_gateway_may_have_it(tmp_path: Path) -> None:
    found = look(package(tmp_path, function_yaml='python: "3.99"\n'))
    assert found.refused == [] and "Python 3.99 is not installed here" in found.notes[0]


def test_samples_that_cannot_be_read_are_a_note(tmp_path: Path) -> None:
    folder = package(tmp_path)
    (folder / "samples" / "a.json").write_text("{")
    assert "a.json:1: it is not JSON" in look(folder).notes[0]


@pytest.mark.parametrize(
    ("code", "manifest"),
    [
        ("index = lambda event: 1", ""),
        ("async def handler(event): pass", ""),
        ("class Model:\n    def __call__(self, event): pass\nindex = Model()", ""),
        ("from model import index", ""),
        ("import model as index", ""),
        ("try:\n    from fast import run as index\nexcept ImportError:\n    def index(event): pass", ""),
        ("if True:\n    index: object = print", ""),
        ("index, other = print, print", ""),
        ("with open('x') as file:\n    index = file.read", ""),
        ("def index_batch(events, context): pass", ""),
        ("def index_batch(events, context): pass", "batch: {max_size: 2}"),
        ("def run(event): pass", "handler: index:run"),
    ],
)
def test_the_entry_point_is_found_however_it_is_defined(tmp_path: Path, code: str, manifest: str) -> None:
    (tmp_path / "index.py").write_text(code)
    assert entry_fault(tmp_path, read_manifest(manifest)) == (None, None)


@pytest.mark.parametrize(
    ("code", "manifest"),
    [
        ("def inner():\n    def index(event): pass", ""),
        ("class A:\n    def index(self): pass", ""),
        ("def index(event): pass", "batch: {max_size: 2}"),
        ("index.x = 1", ""),
        ("print([index for index in []])\ndef run(): pass", "handler: index:go"),
    ],
)
def test_what_is_no_entry_point_is_not_taken_for_one(tmp_path: Path, code: str, manifest: str) -> None:
    (tmp_path / "index.py").write_text(code)
    fault, unknown = entry_fault(tmp_path, read_manifest(manifest))
    assert fault is not None and unknown is None


@pytest.mark.parametrize(
    "code", ["from model import *", "globals()['index'] = print", "def __getattr__(name): return print"]
)
def test_names_made_while_the_module_runs_are_not_known(tmp_path: Path, code: str) -> None:
    (tmp_path / "index.py").write_text(code)
    fault, unknown = entry_fault(tmp_path, read_manifest(""))
    assert fault is None and unknown is not None
