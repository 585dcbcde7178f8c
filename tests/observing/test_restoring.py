"""Tests of what earlier lives have left: whatever it is, the next life begins, and soon."""

import asyncio
import struct
from pathlib import Path

import pytest

from host.observing.history import restoring
from host.observing.history.history import History
from host.observing.history.journal import Journal
from host.observing.history.record import Record, encode
from host.observing.history.restoring import Restoring
from host.observing.history.saving import make_journals
from host.observing.history.series import Key
from tests.observing.test_history import INDUSTRY, NOON, Life, column


def test_a_gateway_whose_clock_begins_in_1970_has_its_past_and_shows_it_when_the_clock_is_set(
    tmp_path: Path,
) -> None:
    first = Life(tmp_path)
    first.work(1200)
    first.end()
    second = Life(tmp_path, 67.0)
    second.work(10)
    assert sum(second.shown(60)[1]) == 1210
    for step in (10, 60):
        assert second.shown(step)[0] == sorted(second.shown(step)[0])
    second.wall += NOON
    times = second.shown(60)[0]
    assert NOON - 1300 < times[0] <= times[-1] <= second.wall


def test_restored_rows_stand_before_those_that_came_meanwhile(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.work(700)
    first.end()
    second = Life(tmp_path / "elsewhere", NOON + 1000)
    started = int(second.axis.now())
    second.work(700, events=2)
    asyncio.run(Restoring(second.history, make_journals(tmp_path)).run(started))
    times, events = second.shown(10)
    assert times == sorted(times) and sum(events) == 700 + 1400 and events[0] == 10
    assert len(second.history.series(INDUSTRY).periods[10].rows) == len(times)


@pytest.mark.parametrize(
    ("rows", "layout"),
    [
        ([(INDUSTRY, bytes(7))], ["<II", ["ok"]]),
        ([(INDUSTRY, bytes(8))], ["<II", []]),
        ([(INDUSTRY, bytes(8))], ["8s", []]),
        ([(INDUSTRY, bytes(8))], "no layout"),
    ],
)
def test_records_that_cannot_be_understood_are_left_out_and_said_once(
    rows: list[tuple[Key, bytes]], layout: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = Life(tmp_path)
    good.work(60)
    good.end()
    for _ in range(3):
        make_journals(tmp_path)[60].append(encode(Record("a", 0, {"function": layout}, rows)), 60)
    assert Life(tmp_path, NOON + 100).shown(60)[1] == [60]
    assert caplog.text.count("not understood") == 1 and "3 records" in caplog.text


def test_series_of_a_later_version_are_passed_by(tmp_path: Path) -> None:
    device = Key("device", "f")  # type: ignore[arg-type]
    layouts = {"device": ["<II", ["x"]], "function": ["<II", ["ok"]]}
    record = Record("a", 0, layouts, [(device, bytes(8)), (INDUSTRY, struct.pack("<II", NOON - 60, 5))])
    make_journals(tmp_path)[60].append(encode(record), 60)
    assert column(Life(tmp_path).history.series(INDUSTRY), 60, "ok") == [5]


def test_an_error_of_ours_sets_the_past_aside_and_the_host_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = Life(tmp_path)
    first.work(60)
    first.end()
    with monkeypatch.context() as patched:
        patched.setattr(restoring, "place_lives", lambda lives, now: 1 / 0)
        second = Life(tmp_path, NOON + 100)
    assert caplog.text.count("begins anew") == 2 and second.shown(10) == ([], [])
    assert {each.suffix for each in tmp_path.rglob("0*")} == {".damaged"}
    second.work(60)
    second.end()
    assert sum(Life(tmp_path, NOON + 300).shown(60)[1]) == 60


def test_a_host_that_stops_does_not_wait_for_its_past_and_loses_nothing_of_it(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.work(60)
    first.end()
    second = Restoring(History(), make_journals(tmp_path))
    second.abandon()
    asyncio.run(second.run(NOON + 100))
    assert not second.is_over
    journal = make_journals(tmp_path)[60]
    journal.append(b"unread as yet", 1)
    assert len(list(journal.folder.glob("*.rows"))) == 2
    assert sum(Life(tmp_path, NOON + 300).shown(60)[1]) == 60


def test_zeros_at_the_end_of_a_file_are_its_end(tmp_path: Path) -> None:
    Journal(tmp_path, 600).append(b"first", 60)
    [file] = tmp_path.iterdir()
    with file.open("ab") as opened:
        opened.write(bytes(4096))
    again = Journal(tmp_path, 600)
    assert list(again.read()) == [b"first"]
    again.append(b"second", 60)
    assert list(Journal(tmp_path, 600).read()) == [b"first", b"second"]


def test_a_host_that_starts_again_and_again_keeps_as_long_a_past(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 3600)
    for number in range(720):
        journal.append(struct.pack("<I", number), 10)
    kept = [struct.unpack("<I", each)[0] for each in Journal(tmp_path, 3600).read()]
    assert kept[-1] == 719 and 360 <= len(kept) <= 420
