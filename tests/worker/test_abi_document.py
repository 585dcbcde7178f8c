"""`docs/abi.md` says what is so: its examples run, and its table of the manifest is complete."""

import itertools
import re
import shlex
from pathlib import Path

import httpx
import pytest

from functions.manifest import Manifest
from runtime.worker.context import Context
from runtime.worker.metadata import EventInfo
from tests.hosts import RunningHost, wait_until

DOCUMENT = (Path(__file__).parents[2] / "docs" / "abi.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = [section for section in DOCUMENT.split("\n## ") if "```python index.py" in section]


def examples(section: str) -> tuple[dict[str, str], list[tuple[list[str], str]]]:
    """The files of a section's package, and each command with what it prints."""
    files, commands = {}, []
    for kind, name, text in BLOCK.findall(section):
        if name:
            files[name] = text
        if kind == "console":
            for command in text.removeprefix("$ ").split("\n$ "):
                line, _, output = command.partition("\n")
                commands.append((shlex.split(line), output.strip()))
    return files, commands


def run_curl(host: RunningHost, command: list[str]) -> httpx.Response:
    """What `curl` would do, for the few options that the document uses."""
    assert command[0] == "curl"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    headers |= dict(
        value.lower().split(": ", 1) for option, value in itertools.pairwise(command) if option == "-H"
    )
    body = command[command.index("-d") + 1]
    path = command[-1].removeprefix("localhost:5888")
    return host.client.post(f"{host.url}{path}", content=body.encode(), headers=headers)


def assert_printed(response: httpx.Response, command: list[str], output: str) -> None:
    """Compares status, the headers that are shown, and the body if one is."""
    if "-i" not in command:
        assert (response.status_code, response.text) == (200, output)
        return
    head, _, body = output.partition("\n\n")
    status, *shown = head.splitlines()
    assert status == f"HTTP/1.1 {response.status_code}"
    for name, value in (line.split(": ", 1) for line in shown):
        assert response.headers[name] == value
    assert not body or response.text == body


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition("\n")[0])
def test_each_example_answers_as_the_document_says(shared_host: RunningHost, section: str) -> None:
    files, commands = examples(section)
    assert commands
    name = commands[0][0][-1].rpartition("/")[2]
    done = shared_host.deploy(files, name)
    assert done["type"] == "done", done
    for command, output in commands:
        assert_printed(run_curl(shared_host, command), command, output)
    wait_until(lambda: shared_host.describe(name)["instances"], "it still runs")


def test_every_key_of_the_manifest_is_explained_in_its_own_words() -> None:
    table = DOCUMENT.partition("## Manifest")[2].splitlines()
    for key, field in Manifest.model_fields.items():
        row = next((line for line in table if line.startswith(f"| `{key}` |")), None)
        assert row is not None, f"{key} is missing"
        assert row.endswith(f"| {field.description} |")


def test_every_attribute_of_context_and_of_its_event_is_explained() -> None:
    table = DOCUMENT.partition("## `context`")[2].partition("\n## ")[0]
    inner = {"number", "publications", "payloads"}
    names = {name for name in vars(Context) if not name.startswith("_")} | set(EventInfo.__annotations__)
    assert [name for name in sorted(names - inner) if f"`{name}" not in table] == []
