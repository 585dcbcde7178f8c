"""`fnhost test`: samples that are run as a host would run them."""

import json
from pathlib import Path

import pytest

from tests.cli.running import fnhost

CODE = """
def index(event, context):
    if event == "bad":
        raise ValueError("no such thing")
    if event == "page":
        return context.Response(b"<p>", 200, {}, "application/json")
    return None if event is None else {"twice": event * 2}
"""
SAMPLES = {
    "bad": '"bad"',
    "near": '{"event": 1.5, "expect": {"twice": 3.0001}, "approx": 0.001}',
    "new": "21",
    "nothing": '{"event": null, "expect": null}',
    "page": '{"event": "page", "expect": "<p>"}',
    "wrong": '{"event": 1, "expect": {"twice": 3}}',
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "工业"
    (folder / "samples").mkdir(parents=True)
    (folder / "index.py").write_text(CODE)
    for name, text in SAMPLES.items():
        (folder / "samples" / f"{name}.json").write_text(text)
    return folder


def test_differences_are_shown_and_then_taken_over(package: Path) -> None:
    result = fnhost("", "test", str(package))
    assert result.exit_code == 1
    assert "Error: 3 of 6 samples are not answered as expected" in result.stderr
    lines = result.stdout.splitlines()
    heads = {line[8:]: line[:8].strip() for line in lines if not line.startswith(" ")}
    fine = dict.fromkeys(("near", "new", "nothing"), "ok")
    assert heads == {"bad": "FAIL", "page": "FAIL", "wrong": "FAIL", **fine}
    assert "        ValueError: no such thing" in lines
    told = "it says it is JSON (application/json) and is not: what it answers begins with '<p>'"
    assert f"        {told}" in lines
    assert [line.strip() for line in lines if "twice" in line] == ['-  "twice": 3', '+  "twice": 2']

    assert fnhost("", "test", str(package), "--update").exit_code == 1
    written = {path.stem: json.loads(path.read_text()) for path in (package / "samples").glob("*.json")}
    assert written["bad"] == "bad"
    assert written["new"] == {"event": 21, "expect": {"twice": 42}}
    assert written["wrong"] == {"event": 1, "expect": {"twice": 2}}
    assert (package / "samples" / "near.json").read_text() == SAMPLES["near"]


def test_without_samples_it_says_how_to_write_one(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(CODE)
    result = fnhost("", "test", str(tmp_path))
    assert result.exit_code == 2
    assert "has no samples/*.json; write one" in result.stderr


def test_a_zip_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")
    assert fnhost("", "test", str(tmp_path / "a.zip")).exit_code == 5
    assert fnhost("", "test", str(tmp_path / "a.zip"), "--update").exit_code == 2
