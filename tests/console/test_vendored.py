"""What others wrote stands here with its version and its licence, unchanged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.console.sources import VENDOR

FOLDERS = (VENDOR, Path(__file__).parent / "vendor")
ROW = re.compile(r"^\| (`.+?`) \| (\S+) \| ([\d.]+) \| (.+?) \(([^)]+)\) \|$", re.MULTILINE)
VERSIONS = {"htmx.org": r'version:"([\d.]+)"', "axe-core": r"axe v([\d.]+)", "uplot": r"\(v([\d.]+)\)"}
"""Where a package's files say their own version."""
HEADS = {
    "Zero-Clause BSD": "Zero-Clause BSD",
    "MIT": "The MIT License",
    "Mozilla Public License 2.0": "Mozilla Public License, version 2.0",
}
"""How the text of a licence begins."""


@dataclass(frozen=True)
class Row:
    """A line of the table in a folder of vendored files."""

    folder: Path
    files: tuple[str, ...]
    package: str
    version: str
    licence: str
    texts: tuple[str, ...]


def rows() -> Iterator[Row]:
    for folder in FOLDERS:
        for files, package, version, licence, texts in ROW.findall((folder / "README.md").read_text("utf-8")):
            yield Row(folder, quoted(files), package, version, licence, quoted(texts))


def quoted(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(.+?)`", text))


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.package)
def test_each_package_has_its_version_and_its_licence(row: Row) -> None:
    told = "".join((row.folder / file).read_text("utf-8") for file in row.files)
    found = re.search(VERSIONS[row.package], told)
    assert found and found[1] == row.version
    assert HEADS[row.licence] in (row.folder / row.texts[0]).read_text("utf-8")[:60]


@pytest.mark.parametrize("folder", FOLDERS, ids=("served", "for tests"))
def test_no_file_is_without_a_line(folder: Path) -> None:
    told = {file for row in rows() if row.folder == folder for file in (*row.files, *row.texts)}
    assert {file.name for file in folder.iterdir()} == {*told, "README.md"}
