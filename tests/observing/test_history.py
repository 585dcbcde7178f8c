"""Tests of the history: nothing is lost or counted twice, little is kept, and no clock breaks it."""

import asyncio
import struct
from pathlib import Path

import pytest

from host.observing.history.axis import Axis
from host.observing.history.columns import LAYOUTS
from host.observing.history.counting import WIDTH, Counted, as_buckets, as_columns
from host.observing.history.history import MOST, History
from host.observing.history.journal import Journal
from host.observing.history.quantiles import estimate_quantiles
from host.observing.history.restoring import Restoring
from host.observing.history.saving import Saving, make_journals
from host.observing.history.series import STEPS, Key, Seen, Series
from host.observing.metrics.tallies import Tallies
from host.observing.slices import Slices
from tests.observing.told import late, ok, run_of, spec_of

NOON = 1_800_000_000
INDUSTRY = Key("function", "工业")
REST = [0] * (len(LAYOUTS["function"].columns) - len(as_columns([0] * WIDTH)))


def seen(counted: Counted, queued: int = 0) -> Seen:
    counted.look()
    return Seen([*as_columns(counted.totals), queued, *REST[1:]], as_buckets(counted.totals))


def column(series: Series, step: int, name: str, since: int = 0) -> list[float]:
    place = 1 + LAYOUTS["function"].names.index(name)
    return [row[place] for row in series.since(since, step)]


class Life:
    """A host's history whose clocks a test sets: `wall` and `boot` in seconds."""

    def __init__(self, folder: Path, wall: float = NOON) -> None:
        self.wall, self.boot = wall, 0.0
        self.axis = Axis(lambda: self.boot, lambda: self.wall)
        self.history = History()
        journals = make_journals(folder)
        self.saving = Saving(self.history, journals, self.axis)
        self.tallies = Tallies()
        self.counted = Counted(self.tallies.function("工业"))
        self.before = seen(self.counted)
        asyncio.run(Restoring(self.history, journals).run(int(self.axis.now())))

    def work(self, seconds: int, events: int = 1) -> None:
        """Let seconds pass, each with so many events and one look."""
        for _ in range(seconds):
            for _ in range(events):
                self.tallies.ended(run_of(spec_of("工业"), ok()))
            self.boot, self.wall = self.boot + 1, self.wall + 1
            now = int(self.axis.now())
            look = seen(self.counted)
            self.history.take(INDUSTRY, now, look, self.before)
            self.before = look
            asyncio.run(self.history.pass_by(now, Slices()))

    def save(self) -> None:
        self.saving.write(asyncio.run(self.saving.collect()))

    def end(self) -> None:
        self.history.end()
        self.save()

    def shown(self, step: int) -> tuple[list[float], list[float]]:
        """Times since the epoch, and events."""
        series = self.history.series(INDUSTRY)
        times = [row[0] + self.axis.shift for row in series.since(0, step)]
        return times, column(series, step, "ok")


def test_at_each_step_the_rows_add_up_to_what_was_counted_whenever_somebody_looked() -> None:
    tallies, series = Tallies(), Series("function")
    counted = Counted(tallies.function("industry"))
    before = seen(counted)
    now, events = NOON, 0
    for turn in range(500):
        for _ in range(turn % 7):
            tallies.ended(run_of(spec_of(), ok(0.002) if turn % 3 else late()))
            events += 1
        # Some looks are late, and in some seconds there is nothing to be seen.
        now += 1 + (turn % 50 == 0) * 3 + (turn % 100 == 0) * 40
        series.pass_by(now)
        look = seen(counted, queued=turn % 5)
        series.take(now, look, before)
        before = look
    for step in STEPS:
        assert sum(column(series, step, "ok")) + sum(column(series, step, "timeout")) == events, step
        times = [row[0] for row in series.since(0, step)]
        assert times == sorted(set(times)) and all(time % step == 0 for time in times)
        assert max(column(series, step, "queued")) == 4
    assert sum(column(series, 60, "run_seconds")) == pytest.approx(counted.totals[9], rel=1e-5)


def test_what_a_removed_function_had_is_not_lost_when_it_is_deployed_anew() -> None:
    tallies = Tallies()
    counted = Counted(tallies.function("industry"))
    for _ in range(5):
        tallies.ended(run_of(spec_of(), ok()))
    first = counted.look()
    tallies.ended(run_of(spec_of(), ok()))
    tallies.retain({})
    tallies.ended(run_of(spec_of(), late()))
    counted.use(tallies.functions()["industry"])
    second = counted.look()
    assert (first[0], second[0], second[2]) == (5, 1, 1)
    assert sum(counted.look()) == 0


def test_rows_are_given_up_when_they_are_old_and_a_day_of_a_busy_function_takes_little() -> None:
    tallies, series = Tallies(), Series("function")
    counted = Counted(tallies.function("industry"))
    before = seen(counted)
    for second in range(1200):
        tallies.ended(run_of(spec_of(), ok(0.001 * (second % 9))))
        look = seen(counted, second % 3)
        series.take(NOON + second, look, before)
        before = look
    assert STEPS[1] <= len(column(series, 1, "ok")) <= STEPS[1] + 60
    assert series.size < 20_000


def test_series_that_were_still_for_longest_make_room() -> None:
    history = History()
    nothing = Seen([0] * len(LAYOUTS["instance"].columns))
    for number in range(MOST["instance"] + 1):
        key = Key("instance", "f", f"1.{number}.{number}")
        history.take(key, NOON + number, nothing, nothing)
        asyncio.run(history.pass_by(NOON + number + 120, Slices()))
    kept = {key.instance for key, _ in history.find("instance")}
    assert len(kept) <= MOST["instance"]
    assert "1.0.0" not in kept and f"1.{MOST['instance']}.{MOST['instance']}" in kept


def test_quantiles_are_those_of_times_that_lie_evenly_in_their_bucket() -> None:
    assert estimate_quantiles([0, 100, 0], [1.0, 2.0]) == pytest.approx((1.5, 1.95, 1.99))
    assert estimate_quantiles([98, 1, 1], [1.0, 2.0]) == pytest.approx((50 / 98, 95 / 98, 2.0))
    assert all(value != value for value in estimate_quantiles([0, 0], [1.0]))


def test_minutes_and_tens_of_seconds_survive_the_host(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.work(95, events=2)
    first.end()
    second = Life(tmp_path, NOON + 300)
    second.work(30)
    for step in (10, 60):
        times, events = second.shown(step)
        assert sum(events) == 2 * 95 + 30
        assert times[0] == NOON // step * step
        assert times == sorted(times)
    assert second.shown(1)[1] == [1] * 30


def test_a_clock_that_is_set_moves_all_labels_alike(tmp_path: Path) -> None:
    life = Life(tmp_path, 1000.0)  # as a gateway without a battery begins
    life.work(30)
    life.wall += NOON
    life.work(30)
    times, events = life.shown(1)
    assert times == list(range(NOON + 1000, NOON + 1060)) and sum(events) == 60
    life.end()
    after = Life(tmp_path, NOON + 1100)
    times, events = after.shown(10)
    assert (times[0], times[-1], sum(events)) == (NOON + 1000, NOON + 1050, 60)


def test_a_past_that_seems_to_lie_in_the_future_was_just_before_now(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.work(120)
    first.end()
    second = Life(tmp_path, NOON - 86400 * 365)
    second.work(20)
    times, events = second.shown(10)
    assert sum(events) == 140 and times == sorted(times)
    assert times[-1] - times[0] < 200
    second.wall += 86400 * 365 + 500
    assert second.shown(10)[0][0] > NOON


def test_a_damaged_file_is_said_and_set_aside_and_history_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = Life(tmp_path)
    first.work(60)
    first.end()
    [file] = (tmp_path / "10s").glob("*.rows")
    content = bytearray(file.read_bytes())
    content[20] ^= 255
    file.write_bytes(content)
    second = Life(tmp_path, NOON + 100)
    assert "damaged" in caplog.text and str(file) in caplog.text
    assert second.shown(10) == ([], []) and sum(second.shown(60)[1]) == 60
    second.work(10)
    second.end()
    assert sum(Life(tmp_path, NOON + 200).shown(10)[1]) == 10
    assert len(list((tmp_path / "10s").glob("*.damaged"))) == 1


def test_a_record_that_was_cut_short_by_a_crash_leaves_those_before_it(tmp_path: Path) -> None:
    first = Life(tmp_path)
    first.work(60)
    first.save()
    first.work(60)
    first.save()
    [file] = (tmp_path / "60s").glob("*.rows")
    file.write_bytes(file.read_bytes()[:-7])
    second = Life(tmp_path, NOON + 200)
    assert second.shown(60)[1] == [60]


def test_no_more_is_kept_on_disk_than_is_asked_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 6000)
    for number in range(300):
        journal.append(struct.pack("<I", number), 60)
    again = [struct.unpack("<I", each)[0] for each in Journal(tmp_path, 6000).read()]
    assert again == list(range(300 - len(again), 300))
    assert 100 <= len(again) <= 160 and len(list(tmp_path.iterdir())) <= 3


def test_what_is_kept_of_functions_is_nobody_elses_business(tmp_path: Path) -> None:
    folder = tmp_path / "history" / "60s"
    Journal(folder, 100).append(b"names", 60)
    assert [oct(each.stat().st_mode & 0o777) for each in (folder, folder.parent)] == ["0o700"] * 2
