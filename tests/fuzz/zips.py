"""Fuzzes the reader of zips with archives that lie, overlap, collide and grow."""

import os
import stat
import struct
import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from functions.archive import Limits, extract
from functions.errors import PackageError
from functions.package import open_package
from tests.functions.zips import RawEntry, raw_zip
from tests.fuzz.target import Target, any_text, check_told

LIMITS = Limits(entries=12, total=2 * 1024 * 1024, file=1536 * 1024, ratio=200, depth=4)
SENTINEL = "outside"

WORDS = ["index.py", "INDEX.PY", "a", "b", "c", "A", "é", "e\u0301", "k", "\u212a", "ß", "ss", "con"]
PLAIN = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map("/".join)
PATHS = st.lists(st.sampled_from([*WORDS, "..", ".", "", "a" * 256]) | any_text(6), max_size=6).map("/".join)
TRICKS = st.sampled_from(
    [
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        "C:\\x",
        "c:/x",
        "a\\..\\b",
        "a\0.py",
        "\u202egpj.py",
        "//a",
        "a//b",
    ]
)
NAMES = (PATHS | TRICKS | st.builds(lambda path: path + "/", PATHS)).map(
    lambda name: name.encode("utf-8", "surrogatepass")
) | st.binary(min_size=1, max_size=12)
MODES = st.sampled_from(
    [0, stat.S_IFREG | 0o644, stat.S_IFREG | 0o4755, stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777]
    + [kind | 0o666 for kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK)]
)
DATA = (
    st.sampled_from([b"", b"pass\n", b"../outside", b"PK\x03\x04"])
    | st.binary(max_size=40)
    | st.sampled_from([1 << 20, 3 << 20]).map(bytes)
)
SIZES = st.sampled_from([0, 1, 2**20, 2**31, 2**32 - 2, 2**32 - 1]) | st.integers(0, 100)
HONEST = st.builds(
    RawEntry,
    name=PLAIN.map(str.encode),
    data=DATA,
    flags=st.sampled_from([0, 0x800]),
    method=st.sampled_from([0, 8]),
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "mode": MODES,
    "flags": st.sampled_from([1, 8, 0x40, 0x2000, 0xFFFF]),
    "method": st.sampled_from([0, 1, 8, 9, 12, 14, 99]),
    "size": SIZES,
    "crc": st.integers(0, 2**32 - 1),
    "packed_size": SIZES,
    "local_name": NAMES,
    "packed": st.binary(max_size=20),
}
CHANGED = st.sampled_from(sorted(CHANGES)).flatmap(lambda key: CHANGES[key].map(lambda value: {key: value}))
ENTRIES = HONEST | HONEST | st.builds(lambda entry, change: replace(entry, **change), HONEST, CHANGED)


@dataclass(frozen=True)
class Lie:
    """So many bytes of the archive, counted from its end or its front, become others."""

    at: int
    bytes: bytes
    from_end: bool


LIES = st.builds(
    Lie,
    st.integers(0, 400),
    st.binary(min_size=1, max_size=4)
    | st.sampled_from([struct.pack("<L", 0), struct.pack("<L", 2**32 - 1), struct.pack("<H", 0xFFFF)]),
    st.booleans(),
)


@dataclass(frozen=True)
class Archive:
    """The entries of a zip, what is changed in it, what is cut off its end, what stands before and after."""

    entries: list[RawEntry]
    lies: list[Lie]
    cut: int
    around: tuple[bytes, bytes]
    comment: bytes

    def write(self, path: Path) -> None:
        """The zip, as far as it is one."""
        data = bytearray(raw_zip(path, *self.entries, comment=self.comment).read_bytes())
        for lie in self.lies:
            at = (len(data) - lie.at if lie.from_end else lie.at) % max(1, len(data))
            data[at : at + len(lie.bytes)] = lie.bytes
        path.write_bytes(self.around[0] + bytes(data[: len(data) - self.cut]) + self.around[1])


def _archive(entries: list[RawEntry], lies: list[Lie], cut: int, around: tuple[bytes, bytes]) -> Archive:
    return Archive(entries, lies, cut, around, b"")


AROUND = st.tuples(st.binary(max_size=8), st.binary(max_size=8))
LISTS = st.lists(ENTRIES, min_size=1, max_size=5)
ARCHIVES = (
    st.builds(
        lambda entries, comment: Archive(entries, [], 0, (b"", b""), comment), LISTS, st.binary(max_size=9)
    )
    | st.builds(lambda entries: _archive(entries, [], 0, (b"", b"")), LISTS)
    | st.builds(
        lambda entries, lies: _archive(entries, lies, 0, (b"", b"")), LISTS, st.lists(LIES, max_size=3)
    )
    | st.builds(lambda entries, cut: _archive(entries, [], cut, (b"", b"")), LISTS, st.integers(1, 80))
    | st.builds(lambda entries, around: _archive(entries, [], 0, around), LISTS, AROUND)
)


def check_archive(archive: Archive) -> None:
    """It is refused without a trace, or all of it lies inside of its folder, plain and within the limits."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / SENTINEL).write_bytes(b"as it was")
        archive.write(place / "zip")
        target = place / "target"
        try:
            names = extract(place / "zip", target, LIMITS)
        except PackageError as error:
            check_told(error)
            assert not target.exists()
        else:
            _check_tree(target, names)
        assert (place / SENTINEL).read_bytes() == b"as it was"
        assert {path.name for path in place.iterdir()} <= {SENTINEL, "zip", "target"}


def _check_tree(target: Path, names: list[str]) -> None:
    found = [Path(root) / name for root, folders, files in os.walk(target) for name in folders + files]
    modes = {path: path.lstat().st_mode for path in found}
    assert all(stat.S_ISREG(mode) or stat.S_ISDIR(mode) for mode in modes.values())
    assert all(stat.S_IMODE(mode) in (0o644, 0o755) for mode in modes.values())
    files = {path for path, mode in modes.items() if stat.S_ISREG(mode)}
    assert {str(path.relative_to(target)) for path in files} == set(names)
    assert sum(path.stat().st_size for path in files) <= LIMITS.total
    folded = [unicodedata.normalize("NFC", str(path.relative_to(target))).casefold() for path in found]
    assert len(set(folded)) == len(folded)


def check_package(archive: Archive) -> None:
    """As a package it is refused without a trace, or it has a name that is one and a root inside."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        archive.write(place / "zip")
        try:
            package = open_package(place / "zip", place / "staging")
        except PackageError as error:
            check_told(error)
            assert not (place / "staging").exists()
        else:
            assert package.root.is_relative_to(place / "staging")


CODE = st.sampled_from(
    [b"def index(event, context): return event\n", b"def (", b"\xff\xfe", b"\0", b"x = " + b"(" * 500]
)
MANIFESTS = st.sampled_from(
    [b"", b"name: a\n", b"name: [", b"handler: a.b:c\n", b"&a [*a]", b"\xff", b"models: {a: ../x}\n"]
)
PACKAGES = st.builds(
    lambda code, manifest, more, archive: Archive(
        [
            RawEntry(b"index.py", code),
            RawEntry(b"function.yaml", manifest),
            RawEntry(b"requirements.txt", more),
            *archive.entries[:1],
        ],
        archive.lies[:1],
        0,
        (b"", b""),
        b"",
    ),
    CODE | st.binary(max_size=30),
    MANIFESTS | st.binary(max_size=30),
    st.sampled_from([b"", b"numpy\n", b"-r /etc/passwd\n", b"--index-url http://x\n", b"a @ file:///etc\n"])
    | st.binary(max_size=30),
    ARCHIVES,
)
TARGETS = (
    Target("zips", ARCHIVES, check_archive, 60),
    Target("packages", PACKAGES, check_package, 30),
)
