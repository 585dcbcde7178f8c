"""The documents are complete, current, and lead where they say."""

import re
from pathlib import PurePosixPath

import pytest

from conf.reference import render_reference
from host.cli.exits import MEANINGS, Exit
from tests.project.tree import ROOT, tracked_files

DOCUMENTS = sorted(name for name in tracked_files() if name.endswith(".md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_reference_of_the_config_is_current() -> None:
    found = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert found == render_reference(), "run: python -m conf.reference > docs/configuration.md"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file_of_the_project(name: str) -> None:
    for target in LINK.findall((ROOT / name).read_text(encoding="utf-8")):
        if "://" not in target:
            assert (ROOT / PurePosixPath(name).parent / target).exists(), target


def test_the_index_leads_to_every_document() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    documents = {name.removeprefix("docs/") for name in DOCUMENTS if re.fullmatch(r"docs/\w+\.md", name)}
    assert documents - {"README.md"} <= set(LINK.findall(index))


def test_operations_tell_every_exit_code() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert set(MEANINGS) == set(Exit)
    assert [
        f"| {code.value} | {told} |"
        for code, told in MEANINGS.items()
        if f"| {code.value} | {told} |" not in text
    ] == []


def test_a_decision_says_what_was_rejected() -> None:
    decisions = [name for name in DOCUMENTS if name.startswith("docs/decisions/")]
    for name in decisions:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert name.endswith("README.md") or "**Rejected.**" in text, name
    assert len(decisions) > 5
