"""`fnhost init`: new packages from templates, each of which works as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from conf.models import Config
from functions.package import pack_folder, read_stored
from functions.package_templates import TEMPLATES
from host.authoring.examination import examine
from host.authoring.samples import read_samples
from host.authoring.scaffold import make_package
from host.authoring.trial import answer_of
from host.client.client import Reply
from tests.cli.running import DEADLINE, fnhost
from tests.hosts import RunningHost

ALONE = "import test_index as t; [each() for name, each in vars(t).items() if name.startswith('test_')]"
NEEDING_NOTHING = [each for each in TEMPLATES if each != "sklearn"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_makes_a_folder_and_says_what_to_do_next(here: Path) -> None:
    result = fnhost("", "init", "hello")
    assert result.exit_code == 0
    *files, _, _, dev, test, deploy = result.stdout.splitlines()
    assert [(here / line.strip()).is_file() for line in files] == [True] * len(files)
    assert [line.strip().split("  ")[0] for line in (dev, test, deploy)] == [
        "fnhost dev hello",
        "fnhost test hello",
        "fnhost deploy hello",
    ]


@pytest.mark.parametrize("name", ["工业", "1.5", "true", "no", "null", "a.b-c_d"])
def test_every_function_name_will_do(here: Path, name: str) -> None:
    assert fnhost("", "init", name).exit_code == 0
    assert read_stored(here / name, "").manifest.name == name
    assert f"# {name}\n" in (here / name / "README.md").read_text(encoding="utf-8")


def test_without_a_name_the_present_folder_becomes_the_package(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "trend").mkdir()
    monkeypatch.chdir(here / "trend")
    assert fnhost("", "init").exit_code == 0
    assert read_stored(here / "trend", "").manifest.name == "trend"


@pytest.mark.parametrize("name", ["a/b", "a b", ".hidden", "a@1"])
def test_what_is_no_function_name_makes_nothing(here: Path, name: str) -> None:
    result = fnhost("", "init", name)
    assert result.exit_code == 2 and "function name" in result.stderr
    assert list(here.iterdir()) == []


def test_nothing_is_written_into_a_folder_with_something_in_it(here: Path) -> None:
    (here / "hello").mkdir()
    (here / "hello" / "mine.txt").write_text("mine")
    result = fnhost("", "init", "hello")
    assert (result.exit_code, result.stdout) == (2, "")
    told = "hello is not empty (it has mine.txt); choose another name, or empty it first"
    assert result.stderr == f"Error: {told}\n"
    assert [path.name for path in (here / "hello").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_check_has_nothing_to_say_against_a_template(tmp_path: Path, template: str) -> None:
    make_package(tmp_path / "made", template)
    findings = examine(tmp_path / "made", Config(), is_given=False)
    assert (findings.refused, findings.notes) == ([], [])


@pytest.mark.parametrize("template", NEEDING_NOTHING)
def test_the_tests_of_a_template_pass_without_a_host(tmp_path: Path, template: str) -> None:
    make_package(tmp_path / "made", template)
    subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path / "made", check=True, timeout=DEADLINE)


@pytest.mark.parametrize("template", NEEDING_NOTHING)
def test_a_template_is_deployed_and_answers_its_samples(
    shared_host: RunningHost, tmp_path: Path, template: str
) -> None:
    make_package(tmp_path / template, template)
    pack_folder(tmp_path / template, tmp_path / "made.zip")
    done = shared_host.deploy_zip((tmp_path / "made.zip").read_bytes())[-1]
    assert (done["type"], done["function"]) == ("done", template)
    for sample in read_samples(tmp_path / template):
        headers = {"content-type": sample.content_type}
        answer = shared_host.invoke(template, sample.body, headers=headers)
        reply = Reply(answer.status_code, answer.headers["content-type"], answer.content)
        assert answer_of(reply) == pytest.approx(sample.expected)
