"""The audit log holds through crashes, is rotated, and shows what was done to it."""

import json
import os
import stat
from pathlib import Path

import pytest

from host.access.audit import BAD_PER_MINUTE, HOST, Actor, AuditLog, Deed, newest_records
from host.access.audit_chain import read_chain
from host.access.sealed_log import KEPT
from tests.access.doors import Clock

TOKEN = Actor("token:1a2b3c4d", "10.0.0.1")


def opened(folder: Path, most_bytes: int = 1 << 20) -> AuditLog:
    log = AuditLog(folder, Clock(), most_bytes)
    log.open()
    return log


def written(folder: Path, count: int) -> Path:
    """A log of so many records, closed; its file."""
    log = opened(folder)
    for number in range(count):
        log.record(TOKEN, Deed("deploy", "industry", revision=f"industry@{number}", digest="ab" * 32))
    log.close()
    return folder / "audit.log"


def test_a_record_says_who_did_what_from_where_and_is_for_the_hosts_user_only(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.record(TOKEN, Deed("deploy", "工业", revision="工业@1", digest="ab" * 32, isolation="strong"))
    log.record(HOST, Deed("config.reload", outcome="refused"))
    first, second = newest_records(tmp_path, 10)
    assert (first["n"], first["ts"], first["prev"]) == (1, 1_700_000_000.0, "0" * 64)
    assert (first["actor"], first["peer"], first["target"]) == ("token:1a2b3c4d", "10.0.0.1", "工业")
    assert (first["isolation"], first["outcome"]) == ("strong", "ok")
    assert (second["actor"], second["prev"]) == ("host", first["hash"]) and "peer" not in second
    assert stat.S_IMODE((tmp_path / "audit.log").stat().st_mode) == 0o600
    log.close()


def test_the_chain_goes_on_after_a_restart_and_over_rotated_parts(tmp_path: Path) -> None:
    for _ in range(3):
        log = opened(tmp_path, 3000)
        for _ in range(20):
            log.record(TOKEN, Deed("scale", "industry"))
        log.close()
    chain = read_chain(tmp_path)
    assert (chain.records, chain.first, chain.faults) == (60, 1, [])
    assert chain.head == newest_records(tmp_path, 1)[0]["hash"]
    assert [each["n"] for each in newest_records(tmp_path, 30)] == list(range(31, 61))
    assert all(part.stat().st_size <= 3000 for part in tmp_path.glob("audit*"))


def test_so_many_parts_are_kept_and_what_is_kept_is_whole(tmp_path: Path) -> None:
    log = opened(tmp_path, 600)
    for _ in range(60):
        log.record(TOKEN, Deed("scale", "industry"))
    log.close()
    chain = read_chain(tmp_path)
    assert len(list(tmp_path.glob("audit*"))) == KEPT + 1
    assert chain.first > 1 and chain.records == 60 - chain.first + 1 and chain.faults == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda lines: [lines[0], lines[1].replace(b"industry@1", b"industry@9"), *lines[2:]],
            "line 2: it was changed",
        ),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3: what stood before it is missing"),
        (lambda lines: lines[1:], ""),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 2: what stood before it"),
        (lambda lines: [*lines[:2], b"nonsense", *lines[2:]], "line 3: it is no record"),
        (lambda lines: [*lines[:4], lines[4].replace(b'"ok"', b'"no"')], "line 5: it was changed"),
    ],
)
def test_what_was_done_to_the_file_is_found(change: object, said: str, tmp_path: Path) -> None:
    file = written(tmp_path, 5)
    lines = change(file.read_bytes().splitlines())  # type: ignore[operator]
    file.write_bytes(b"\n".join(lines) + b"\n")
    faults = read_chain(tmp_path).faults
    assert any(said in fault for fault in faults) if said else faults == []


def test_whoever_seals_all_anew_is_found_by_the_hash_that_was_noted(tmp_path: Path) -> None:
    head = read_chain(written(tmp_path, 3).parent).head
    (tmp_path / "audit.log").unlink()
    written(tmp_path, 2)
    assert read_chain(tmp_path).faults == [] and read_chain(tmp_path).head != head


def test_a_line_that_a_crash_cut_goes_and_that_is_said(tmp_path: Path) -> None:
    file = written(tmp_path, 2)
    with file.open("ab") as log:
        log.write(b'{"n": 3, "ts"')
    opened(tmp_path).close()
    *_, newest = newest_records(tmp_path, 10)
    assert (newest["n"], newest["action"], newest["target"]) == (3, "audit.repair", "13 bytes of a cut line")
    assert read_chain(tmp_path).faults == []


def test_a_disk_that_takes_nothing_is_logged_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = opened(tmp_path)
    log.record(TOKEN, Deed("scale", "industry"))
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, data: real(fd, data[:10]))
        log.record(TOKEN, Deed("remove", "industry"))
    assert "cannot be written" in caplog.text and "remove" in caplog.text
    log.record(TOKEN, Deed("scale", "other"))
    log.close()
    assert [each["n"] for each in map(json.loads, (tmp_path / "audit.log").read_text().splitlines())] == [
        1,
        2,
    ]
    assert read_chain(tmp_path).faults == []


def test_refusals_rotate_no_deed_away_and_hide_none(tmp_path: Path) -> None:
    log = opened(tmp_path, 600)
    log.record(TOKEN, Deed("deploy", "industry"))
    for number in range(60):
        log.record_at_will(Actor(f"token:{number}"), Deed("deploy", outcome="403"))
    log.record(TOKEN, Deed("token.create", "x"))
    log.close()
    shown = newest_records(tmp_path, 4)
    assert [each["action"] for each in shown if each["outcome"] == "ok"] == ["deploy", "token.create"]
    assert [each["actor"] for each in shown if each["outcome"] == "403"] == ["token:58", "token:59"]
    assert [each["action"] for each in newest_records(tmp_path, 1)] == ["token.create"]
    assert read_chain(tmp_path).faults == [] and read_chain(tmp_path).records == 2


def test_anonymous_refusals_leave_a_token_its_own_and_their_number_is_told_at_the_close(
    tmp_path: Path,
) -> None:
    log = opened(tmp_path)
    for _ in range(BAD_PER_MINUTE + 7):
        log.record_at_will(Actor("anonymous"), Deed("access", outcome="wrong token"))
    log.record_at_will(TOKEN, Deed("deploy", outcome="403"))
    log.close()
    *_, named, more = newest_records(tmp_path, 100)
    assert (named["actor"], named["outcome"]) == ("token:1a2b3c4d", "403")
    assert (more["actor"], more["target"]) == ("anonymous", "7 more within a minute")


@pytest.mark.parametrize("damage", [b'{"n": "q"}', b"[" * 200_000, b"\xff", b'{"n": 9, "ts": 1e300}', b""])
def test_the_count_goes_on_behind_damaged_lines_and_they_are_told(damage: bytes, tmp_path: Path) -> None:
    file = written(tmp_path, 2)
    head = newest_records(tmp_path, 1)[0]["hash"]
    with file.open("ab") as log:
        log.write(damage + b"\n")
    opened(tmp_path).close()
    (newest,) = newest_records(tmp_path, 1)
    assert (newest["n"], newest["prev"], newest["action"]) == (3, head, "audit.repair")
    assert read_chain(tmp_path).faults == ["audit.log, line 3: it is no record"]
