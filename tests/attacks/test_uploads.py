"""Zips that attack whoever unpacks them, uploaded by the dozen."""

import json
import stat
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.attacks.siege import Siege
from tests.functions.zips import RawEntry, raw_zip
from tests.fuzz.zips import ARCHIVES, Archive
from tests.hosts import wait_until

INDEX = RawEntry(b"index.py", b"def index(event, context):\n    return 1\n")
MIB = 1024 * 1024


def _entries(*entries: RawEntry) -> list[RawEntry]:
    return [INDEX, *entries]


def _named(name: bytes) -> list[RawEntry]:
    return _entries(RawEntry(name))


def _kind(kind: int) -> list[RawEntry]:
    return _entries(RawEntry(b"thing", b"/etc/passwd", kind | 0o777))


ZIPS = {
    "a path upwards": _named(b"../../outside"),
    "a path upwards inside": _named(b"a/../../outside"),
    "an absolute path": _named(b"/tmp/outside"),
    "a path of Windows": _named(b"..\\..\\outside"),
    "a drive": _named(b"C:/outside"),
    "NUL in a name": _named(b"index\0.py"),
    "a line feed in a name": _named(b"a\nb"),
    "a name that is written from right to left": _named("a\u202egpj.py".encode()),
    "half a character in a name": _entries(RawEntry(b"\xed\xa0\x80", flags=0x800)),
    "an empty name": _named(b""),
    "a dot": _named(b"./a"),
    "a name of 300 bytes": _named(b"a" * 300),
    "a path of 2,000 bytes": _named(b"/".join([b"a" * 100] * 20)),
    "forty folders in each other": _named(b"a/" * 40 + b"a"),
    "a link": _kind(stat.S_IFLNK),
    "a pipe": _kind(stat.S_IFIFO),
    "a device": _kind(stat.S_IFBLK),
    "a socket": _kind(stat.S_IFSOCK),
    "one name twice": _entries(INDEX),
    "names that differ in case": _named(b"INDEX.PY"),
    "names that differ in form": _entries(RawEntry("é".encode()), RawEntry("e\u0301".encode())),
    "a file that is a folder": _named(b"index.py/x"),
    "another name at the data": _entries(RawEntry(b"a", local_name=b"b")),
    "a password": _entries(RawEntry(b"a", flags=1)),
    "an unknown method": _entries(RawEntry(b"a", method=99)),
    "a wrong checksum": _entries(RawEntry(b"a", crc=1)),
    "a size that is too small": _entries(RawEntry(b"a", b"x" * 1000, size=1)),
    "a size that is too large": _entries(RawEntry(b"a", size=2**31)),
    "a packed size over the next entry": [RawEntry(b"a", b"x" * 20, method=0, packed_size=90), INDEX],
    "zip64": _entries(RawEntry(b"a", size=2**32 - 1)),
    "a bomb": _entries(RawEntry(b"a", bytes(20 * MIB))),
    "a bomb that lies": _entries(RawEntry(b"a", bytes(20 * MIB), size=100)),
    "ten thousand files": _entries(*(RawEntry(b"%d" % number, b"") for number in range(10_000))),
    "nothing": [],
}  # fmt: skip


def upload(siege: Siege, content: bytes) -> None:
    """It is refused, or at least not deployed."""
    host = siege.host
    answer = host.client.post(f"{host.url}/api/functions", params={"name": "zipped"}, content=content)
    assert answer.status_code in (200, 400, 413, 422), answer.text
    if answer.status_code == 200:
        assert json.loads(answer.text.splitlines()[-1])["type"] == "error", answer.text


def check_traces(siege: Siege) -> None:
    """Nothing of what was uploaded is left, and nothing lies elsewhere."""
    # What failed in an earlier deploy is deleted in the background.
    wait_until(lambda: not list((siege.host.state / "staging").iterdir()), "nothing is left of it")
    assert not list(Path(tempfile.gettempdir()).glob("outside*"))
    assert not list(siege.folder.rglob("outside*"))
    siege.check_unharmed()


@pytest.mark.parametrize("what", ZIPS)
def test_a_zip_that_attacks_is_refused_without_a_trace(siege: Siege, what: str, tmp_path: Path) -> None:
    before = siege.host_memory()
    upload(siege, raw_zip(tmp_path / "zip", *ZIPS[what]).read_bytes())
    assert siege.host_memory() - before < 50 * MIB
    check_traces(siege)


def _overlapping() -> bytes:
    """Eight names for the same megabyte, packed once (after David Fifield's bomb)."""
    with tempfile.TemporaryDirectory() as folder:
        whole = raw_zip(Path(folder) / "zip", RawEntry(b"a", bytes(MIB))).read_bytes()
    start = struct.unpack_from("<L", whole, len(whole) - 6)[0]
    record, end = bytearray(whole[start:-22]), bytearray(whole[-22:])
    records = b"".join(bytes(record[:46]) + b"abcdefgh"[number : number + 1] for number in range(8))
    struct.pack_into("<HHL", end, 8, 8, 8, len(records))
    return whole[:start] + records + bytes(end)


def test_entries_that_share_their_bytes_are_refused(siege: Siege) -> None:
    answer = siege.host.deploy_zip(_overlapping(), "zipped")[-1]
    assert answer["status"] == 422, answer
    check_traces(siege)


def test_generated_zips_leave_nothing_either(siege: Siege, tmp_path: Path) -> None:
    def attack(archive: Archive) -> None:
        archive.write(tmp_path / "zip")
        upload(siege, (tmp_path / "zip").read_bytes())

    # What could be deployed takes the time of a build each, and is of no interest here.
    refused = ARCHIVES.filter(lambda archive: all(INDEX.name not in entry.name for entry in archive.entries))
    amount = settings(
        max_examples=60,
        phases=(Phase.generate,),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    amount(given(refused)(attack))()
    check_traces(siege)
