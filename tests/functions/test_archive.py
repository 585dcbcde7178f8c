"""Archives are unpacked whole within bounds, or refused whole with the entry named."""

import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.archive import Limits, extract
from functions.errors import PackageError
from tests.functions.zips import RawEntry, make_zip, raw_zip

MIB = 1024 * 1024
ENCRYPTED, UTF8 = 0x1, 0x800


def refusal(source: Path, folder: Path, limits: Limits = Limits()) -> PackageError:  # noqa: B008
    """The error with which `source` is refused; nothing is left behind by it."""
    with pytest.raises(PackageError) as caught:
        extract(source, folder / "target", limits)
    assert not (folder / "target").exists()
    return caught.value


def test_an_ordinary_zip_is_unpacked_with_plain_modes(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"index.py": "x = 1\n", "数据/表.csv": "1,2", "empty/": ""})
    assert extract(source, tmp_path / "t") == ["index.py", "数据/表.csv"]
    assert (tmp_path / "t/index.py").read_text() == "x = 1\n"
    assert (tmp_path / "t/数据/表.csv").read_text() == "1,2"
    assert stat.S_IMODE((tmp_path / "t/index.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "t/empty").stat().st_mode) == 0o755


def test_setuid_bits_are_dropped(tmp_path: Path) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"run.sh", mode=stat.S_IFREG | 0o6777))
    extract(tmp_path / "a.zip", tmp_path / "t")
    assert stat.S_IMODE((tmp_path / "t/run.sh").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("模型.py".encode("gbk"), 0, "模型.py"),
        ("模型.py".encode(), 0, "模型.py"),
        ("模型.py".encode(), UTF8, "模型.py"),
        ("誠實.py".encode("gbk"), 0, "誠實.py"),
        ("café.py".encode("cp437"), 0, "café.py"),
    ],
)
def test_names_are_read_as_their_writer_meant_them(tmp_path: Path, raw: bytes, flags: int, name: str) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(raw, flags=flags))
    assert extract(tmp_path / "a.zip", tmp_path / "t") == [name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", "'..'"),
        ("a/../../evil.py", "'..'"),
        ("/etc/evil", "absolute"),
        ("//host/share", "absolute"),
        ("C:/evil", "absolute"),
        ("a\\b.py", "backslash"),
        ("..\\evil", "backslash"),
        ("ind\0ex.py", "control"),
        ("a\nb.py", "control"),
        ("evil\u202eyp.exe", "invisible"),
        ("in\u200bdex.py", "invisible"),
        ("./index.py", "'.'"),
        ("a//b.py", "empty part"),
        ("", "empty part"),
        ("/".join("d" * 17), "deep"),
        ("n" * 256, "255 bytes"),
        ("/".join(["目" * 80] * 5), "1024"),
    ],
)
def test_a_name_that_leads_astray_is_refused_and_named(tmp_path: Path, name: str, reason: str) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"index.py"), RawEntry(name.encode(), flags=UTF8))
    error = refusal(tmp_path / "a.zip", tmp_path)
    assert error.entry == name
    assert repr(name) in str(error)
    assert reason in str(error)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, "symbolic link"),
        (stat.S_IFCHR, "device"),
        (stat.S_IFBLK, "device"),
        (stat.S_IFIFO, "pipe"),
        (stat.S_IFSOCK, "socket"),
        (stat.S_IFDIR, "folder"),
    ],
)
def test_an_entry_that_is_no_plain_file_is_refused_and_named(tmp_path: Path, kind: int, reason: str) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"odd", data=b"/etc/passwd", mode=kind | 0o777))
    error = refusal(tmp_path / "a.zip", tmp_path)
    assert error.entry == "odd"
    assert reason in str(error)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("index.py", "index.py", "twice"),
        ("a/", "a/", "twice"),
        ("index.py", "Index.py", "case"),
        ("Straße.py", "STRASSE.py", "case"),
        ("caf\u00e9.py", "cafe\u0301.py", "form of its letters"),
        ("Lib/a.py", "lib/b.py", "case"),
        ("A", "a/b.py", "case"),
        ("a", "a/b.py", "also a file"),
        ("a/b.py", "a", "both a file and a folder"),
        ("a", "a/", "twice"),
    ],
)
def test_names_that_could_mean_one_file_are_refused(
    tmp_path: Path, first: str, second: str, reason: str
) -> None:
    entries = [RawEntry(name.encode(), data=b"", mode=0, flags=UTF8) for name in (first, second)]
    error = refusal(raw_zip(tmp_path / "a.zip", *entries), tmp_path)
    assert error.entry == second
    assert reason in str(error)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (RawEntry(b"x", flags=ENCRYPTED), "encrypted"),
        (RawEntry(b"x", crc=1), "checksum"),
        (RawEntry(b"x", size=4), "size"),
        (RawEntry(b"x", size=10**6), "size"),
        (RawEntry(b"x", packed=b"\xff" * 20), "damaged"),
        (RawEntry(b"x", method=0, size=9), "size"),
        (RawEntry(b"x", packed_size=2), "damaged"),
        (RawEntry(b"x", packed_size=10**6), "overlaps"),
        (RawEntry(b"x", method=14), "method 14"),
        (RawEntry(b"x", local_name=b"y"), "another name"),
        (RawEntry(b"x", size=0xFFFFFFFF), "zip64"),
        (RawEntry(b"x/", data=b"more"), "folder"),
        (RawEntry(b"x\xff\xff", flags=UTF8), "UTF-8"),
    ],
)
def test_an_entry_that_is_not_what_it_says_is_refused(tmp_path: Path, entry: RawEntry, reason: str) -> None:
    error = refusal(raw_zip(tmp_path / "a.zip", RawEntry(b"index.py"), entry), tmp_path)
    assert error.entry is not None and "x" in error.entry
    assert reason in str(error)


def test_what_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    for contents in (b"", b"PK", b"\x1f\x8b not a zip" * 100, b"\0" * 70_000):
        (tmp_path / "a.zip").write_bytes(contents)
        assert "not a zip" in str(refusal(tmp_path / "a.zip", tmp_path))


def test_a_zip_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "a.zip", {"index.py": "x = 1\n" * 50, "b/c.py": "y"}).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        refusal(tmp_path / "cut.zip", tmp_path)
    (tmp_path / "cut.zip").write_bytes(whole[:-30])
    assert "truncated" in str(refusal(tmp_path / "cut.zip", tmp_path))


def test_something_before_or_after_the_zip_is_refused(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "a.zip", {"index.py": "x"}).read_bytes()
    for contents in (b"#!/bin/sh\n" + whole, whole + b"\n"):
        (tmp_path / "odd.zip").write_bytes(contents)
        refusal(tmp_path / "odd.zip", tmp_path)


def test_a_zip_with_a_comment_is_read(tmp_path: Path) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"index.py"), comment=b"made by PK\x05\x06 somebody")
    assert extract(tmp_path / "a.zip", tmp_path / "t") == ["index.py"]


def test_a_bomb_is_refused_before_it_has_grown(tmp_path: Path) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"index.py"), RawEntry(b"bomb.bin", data=bytes(50 * MIB)))
    error = refusal(tmp_path / "a.zip", tmp_path)
    assert error.entry == "bomb.bin"
    assert "200 times" in str(error)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    raw_zip(tmp_path / "a.zip", RawEntry(b"bomb.bin", data=bytes(50 * MIB), size=100))
    assert "200 times" in str(refusal(tmp_path / "a.zip", tmp_path))


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    inner = RawEntry(b"b.py", data=b"y = 2\n", method=0)
    inner_bytes = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, *inner.figures(), 4, 0) + b"b.py"
    outer = RawEntry(b"a.py", data=inner_bytes + inner.data, method=0)
    raw_zip(tmp_path / "a.zip", outer, inner)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    second = data.rfind(b"PK\x01\x02")
    struct.pack_into(
        "<L", data, second + 42, 30 + len(b"a.py")
    )  # its header lies inside the first one's data
    (tmp_path / "a.zip").write_bytes(data)
    assert "overlaps" in str(refusal(tmp_path / "a.zip", tmp_path))


def test_limits_are_kept_and_the_entry_that_passes_one_is_named(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"a": b"1" * 600, "b/c/d": b"2" * 600, "e": b"3" * 600})
    assert len(extract(source, tmp_path / "whole", Limits(entries=3, total=1800, file=600, depth=3))) == 3
    assert refusal(source, tmp_path, Limits(total=1799)).entry == "e"
    assert refusal(source, tmp_path, Limits(file=599)).entry == "a"
    for limits, told in ((Limits(entries=2), "3 entries"), (Limits(depth=2), "2 folders deep")):
        assert told in str(refusal(source, tmp_path, limits))


def test_a_file_inflates_as_many_times_as_it_may_and_no_more(tmp_path: Path) -> None:
    entry = RawEntry(b"a.bin", data=bytes(2 * MIB))
    source = raw_zip(tmp_path / "a.zip", entry)
    ratio = -(-2 * MIB // len(entry.stream()))
    extract(source, tmp_path / "whole", Limits(ratio=ratio))
    told = str(refusal(source, tmp_path, Limits(ratio=ratio - 1)))
    assert f"more than {ratio - 1} times its packed size (`limits.ratio`)" in told


def test_many_thousand_entries_are_refused_by_their_number(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {f"{number}.txt": "" for number in range(2001)})
    assert "2001 entries" in str(refusal(source, tmp_path))


def test_a_target_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"index.py": "x"})
    (tmp_path / "t").mkdir()
    (tmp_path / "t/keep").write_text("mine")
    with pytest.raises(FileExistsError):
        extract(source, tmp_path / "t")
    assert (tmp_path / "t/keep").read_text() == "mine"


NASTY = st.sampled_from(["..", ".", "", "a", "A", "b", "C:", "\\", "\0", "é", "e\u0301", "~", "nul", "a.py"])
PATHS = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "/", "./"]),
    st.lists(NASTY, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)
MODES = st.sampled_from([0, stat.S_IFREG | 0o777, stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755, stat.S_IFIFO])


def contents_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PATHS, MODES, st.binary(max_size=8)), max_size=5))
def test_nothing_is_ever_written_outside_the_target(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, int, bytes]]
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    raw = [RawEntry(name.encode(), data, mode, UTF8) for name, mode, data in entries]
    raw_zip(outside / "a.zip", *raw)
    target = outside / "in" / "target"
    try:
        names = extract(outside / "a.zip", target)
    except PackageError:
        assert contents_of(outside) == {"a.zip", "in"}
        return
    written = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert written == set(names)
    assert all(path.is_file() or path.is_dir() for path in target.rglob("*"))
    assert {path for path in contents_of(outside) if not path.startswith("in")} == {"a.zip"}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_zip_is_refused_or_gives_what_zipfile_gives(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    whole = make_zip(folder / "a.zip", {"index.py": "x = 1\n" * 20, "b/c.py": "y"}).read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (folder / "a.zip").write_bytes(damaged)
    try:
        names = extract(folder / "a.zip", folder / "target")
    except PackageError:
        assert contents_of(folder) == {"a.zip"}
        return
    for name in names:
        assert (folder / "target" / name).read_bytes() in (b"x = 1\n" * 20, b"y")


def test_zips_of_other_tools_are_read(tmp_path: Path) -> None:
    """Python's zipfile writing to a pipe uses data descriptors, as streaming tools do."""

    class Pipe:
        def __init__(self, path: Path) -> None:
            self.file = path.open("wb")

        def write(self, data: bytes) -> int:
            return self.file.write(data)

        def flush(self) -> None:
            self.file.flush()

    pipe = Pipe(tmp_path / "a.zip")
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("index.py", "x = 1\n")
    pipe.file.close()
    assert extract(tmp_path / "a.zip", tmp_path / "t") == ["index.py"]
