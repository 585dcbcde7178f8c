"""Devices: what is known of each, what is given up, and what a next life of the host finds."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from host.observing.devices import devices as bounds
from host.observing.devices.device import Line
from host.observing.devices.devices import Devices, Keeping
from host.observing.devices.listing import Listing, Wanted
from host.observing.devices.numbers import read_numbers
from host.observing.devices.part import MOST_WRITTEN, DevicesPart
from host.observing.devices.series import Field, Series
from host.observing.devices.store import DeviceStore
from host.observing.devices.views import show, show_series
from host.observing.records.redaction import read_paths
from runtime.events import Answer, Event, FunctionRaisedError, InvocationError
from runtime.observations import Run, result_of
from tests.observing.told import spec_of

BEGIN = 1_000_000.0


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


def run_at(
    at: float,
    device: str = "press-1",
    body: bytes = b'{"t": 1}',
    outcome: Answer | InvocationError | None = None,
    function: str = "industry",
) -> Run:
    """The end of an event of a device that was received at `at`."""
    event = Event(body, trigger="mqtt", source="telemetry", received=at, device=device)
    told = outcome or Answer(b'{"hot": true}')
    return Run(spec_of(function), event, told, result_of(told), 0.0, 0.0, 0.1, 0.1)


def heard(*times: float, devices: Devices | None = None) -> Devices:
    """Devices of which one was heard at these times."""
    told = Devices(clock=Clock()) if devices is None else devices
    for at in times:
        told.ended(run_at(at))
    return told


def test_a_device_is_known_by_its_last_event_and_what_functions_made_of_it() -> None:
    devices = heard(BEGIN, BEGIN + 2)
    devices.ended(run_at(BEGIN + 2, outcome=FunctionRaisedError("ValueError", "no", []), function="picky"))
    (device,) = devices.all()
    told = show(device, BEGIN + 3, ())
    assert {name: told[name] for name in ("name", "state", "count", "interval", "rule", "result")} == {
        "name": "press-1", "state": "online", "count": 2, "interval": 2.0, "rule": "telemetry",
        "result": "raised",
    }  # fmt: skip
    industry, picky = told["lines"]
    assert (industry["input"]["body"], industry["output"]["body"]) == ('{"t": 1}', '{"hot": true}')
    assert (picky["count"], picky["error"]) == (1, {"type": "ValueError", "message": "no"})


def test_events_without_a_device_and_second_attempts_count_nothing() -> None:
    devices = Devices(clock=Clock())
    devices.ended(run_at(BEGIN, device=""))
    assert len(devices) == 0
    told = run_at(BEGIN)
    devices.ended(told)
    again = replace(told.event, meta={"attempt": 2})
    devices.ended(replace(told, event=again))
    assert devices.all()[0].count == 1


def test_a_device_named_by_its_metadata_alone_is_known_too() -> None:
    devices = Devices(clock=Clock())
    told = run_at(BEGIN, device="")
    devices.ended(replace(told, event=replace(told.event, meta={"device": "d2"})))
    assert devices.find("d2") is not None


@pytest.mark.parametrize(
    ("times", "after", "online"),
    [
        ([0, 1, 2], 9, True),  # 10 s are never too long
        ([0, 1, 2], 11, False),
        ([0, 60, 120], 170, True),
        ([0, 60, 120], 190, False),
        ([0], 59, True),  # nobody knows how often it comes
        ([0], 61, False),
    ],
)
def test_a_device_is_missed_after_three_of_its_usual_intervals(
    times: list[float], after: float, online: bool
) -> None:
    (device,) = heard(*(BEGIN + each for each in times)).all()
    assert device.is_online(BEGIN + times[-1] + after) is online


def test_its_silences_are_kept_and_one_long_one_changes_its_usual_interval_little() -> None:
    first = [BEGIN + each for each in range(60)]
    second = [BEGIN + 4000 + each for each in range(3)]
    (device,) = heard(*first, *second).all()
    assert list(device.past) == [(BEGIN, BEGIN + 59)]
    assert device.since == BEGIN + 4000
    assert device.interval is not None
    assert 1 <= device.interval < 4


def test_a_device_that_has_become_slower_is_soon_known_as_slower() -> None:
    times = [BEGIN + each for each in range(30)]
    times += [times[-1] + 60 * each for each in range(1, 40)]
    (device,) = heard(*times).all()
    assert device.interval == pytest.approx(60, rel=0.1)
    assert device.is_online(times[-1] + 100)


def test_events_that_overtake_each_other_leave_count_and_rate_right() -> None:
    swapped = [BEGIN + each + (1 if each % 2 == 0 else -1) for each in range(1, 200)]
    (device,) = heard(*swapped).all()
    assert device.count == 199
    assert device.rate(device.seen) == pytest.approx(1.0, rel=0.15)


def test_a_clock_that_is_set_back_keeps_no_device_silent() -> None:
    (device,) = heard(BEGIN, BEGIN + 1, BEGIN - 86400, BEGIN - 86399).all()
    assert (device.seen, device.count) == (BEGIN - 86399, 4)
    assert list(device.series.times) == [BEGIN - 86400, BEGIN - 86399]


def test_the_one_that_was_silent_longest_goes_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "MOST_DEVICES", 3)
    devices = Devices(clock=Clock())
    for name in ("a", "b", "c", "a", "d"):
        devices.ended(run_at(BEGIN, device=name))
    assert [each.name for each in devices.all()] == ["c", "a", "d"]
    assert devices.gone == {"b"}


def test_numbers_and_flags_of_json_are_found_by_their_paths_and_what_is_hidden_is_not() -> None:
    body = json.dumps({"t": 1.5, "a": {"b": [2, {"c": 3}]}, "ok": True, "s": "4", "pin": 1234, "n": None})
    told = read_numbers(body.encode(), read_paths(["pin"]))
    assert told == {"t": 1.5, "a.b[0]": 2.0, "a.b[1].c": 3.0, "ok": 1.0}
    assert read_numbers(b"12", ()) == {"": 12.0}
    assert read_numbers(b"\xff", ()) == read_numbers(b"[" * 5000, ()) == read_numbers(b"NaN", ()) == {}


def test_a_plot_has_input_and_output_side_by_side_and_its_oldest_moments_give_way() -> None:
    devices = Devices(clock=Clock())
    for second in range(3):
        body = b'{"t": %d}' % second
        devices.ended(run_at(BEGIN + second, body=body))
        devices.ended(run_at(BEGIN + second, body=body, function="trend", outcome=Answer(b"%d" % -second)))
        devices.ended(run_at(BEGIN + second + 0.5, body=b'{"t": 99}'))
    told = show_series(devices.all()[0].series)
    assert told["times"] == [BEGIN, BEGIN + 1, BEGIN + 2]
    fields = [(each["of"], each["path"]) for each in told["fields"]]
    assert dict(zip(fields, told["columns"], strict=True)) == {
        ("", "t"): [0.0, 1.0, 2.0], ("industry", "hot"): [1.0, 1.0, 1.0], ("trend", ""): [0.0, -1.0, -2.0],
    }  # fmt: skip
    series = Series()
    for second in range(10):
        series.add(float(second), {Field("", "t"): float(second)}, 4)
    assert show_series(series, 7.5) == {
        "fields": [{"of": "", "path": "t"}], "times": [8.0, 9.0], "columns": [[8.0, 9.0]],
    }  # fmt: skip
    assert len(series.times) == 4


def test_secrets_and_redacted_values_are_neither_shown_nor_plotted() -> None:
    devices = Devices(Keeping(read_paths(["user.pin"])), Clock())
    told = run_at(BEGIN, body=b'{"user": {"pin": 4711}, "key": 12345678, "t": 3}')
    devices.ended(replace(told, spec=replace(told.spec, secrets={"KEY": "12345678"})))
    (device,) = devices.all()
    shown = show(device, BEGIN, devices.hidden)["lines"][0]["input"]["body"]
    assert "4711" not in shown
    assert "12345678" not in shown
    assert list(device.series.columns) == [Field("", "t"), Field("industry", "hot")]


def play(store: Path, act: Callable[[DevicesPart, Clock], None], keeping: Keeping | None = None) -> list[str]:
    """One life of the part, in which `act` happens; returns what it found at its start."""

    async def live() -> list[str]:
        clock = Clock()
        part = DevicesPart(Devices(keeping, clock), DeviceStore(store))
        await part.setup()
        found = [each.name for each in part.devices.all()]
        await part.start()
        act(part, clock)
        await part.stop()
        return found

    return asyncio.run(live())


def test_what_was_known_is_known_in_the_next_life_in_the_order_of_silence(tmp_path: Path) -> None:
    file = tmp_path / "devices.db"

    def learn(part: DevicesPart, clock: Clock) -> None:
        heard(BEGIN, BEGIN + 5, devices=part.devices)
        part.devices.ended(run_at(BEGIN + 1, device="测温/2"))

    assert play(file, learn) == []

    def look(part: DevicesPart, clock: Clock) -> None:
        device = part.devices.find("press-1")
        assert device is not None
        told = show(device, BEGIN + 6, ())
        assert (told["count"], told["interval"], told["state"]) == (2, 5.0, "online")
        assert told["lines"][0]["output"]["body"] == '{"hot": true}'
        part.devices.ended(run_at(BEGIN + 10))
        assert device.count == 3

    assert play(file, look) == ["测温/2", "press-1"]


def test_no_more_of_bodies_is_kept_than_records_may_and_old_ones_go_when_that_changes(tmp_path: Path) -> None:
    file, shown = tmp_path / "devices.db", []

    def look(part: DevicesPart, clock: Clock) -> None:
        device = part.devices.find("press-1")
        assert device is not None
        shown.append(show(device, BEGIN, part.devices.hidden)["lines"][0]["input"])

    def learn(part: DevicesPart, clock: Clock) -> None:
        heard(BEGIN, devices=part.devices)
        look(part, clock)

    play(file, learn, Keeping(most=4))
    assert (shown[0]["body"], shown[0]["cut"], shown[0]["size"]) == ('{"t"', True, 8)
    play(file, look, Keeping(most=4))
    play(file, look, Keeping(read_paths(["t"]), 4))
    assert shown[1:] == [shown[0], None]
    (stored,) = DeviceStore(file).read()
    assert b'"t' not in stored.told.replace(b'"telemetry"', b"")


def test_a_name_that_no_file_takes_is_changed_and_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    def learn(part: DevicesPart, clock: Clock) -> None:
        for name in ("\ud800bad", "good"):
            part.devices.ended(run_at(BEGIN, device=name))

    play(tmp_path / "devices.db", learn)
    assert play(tmp_path / "devices.db", lambda part, clock: None) == ["?bad", "good"]


def test_a_minute_writes_so_many_bytes_new_ones_first_and_the_end_writes_the_rest(tmp_path: Path) -> None:
    async def live() -> None:
        store = DeviceStore(tmp_path / "devices.db")
        part = DevicesPart(Devices(clock=Clock()), store)
        body = b'"%s"' % (b"x" * 4000)
        for number in range(100):
            part.devices.ended(run_at(BEGIN, device=f"{number:02}", body=body))
        waiting = []
        for _ in range(4):
            await part.flush()
            waiting.append(len(part.devices.unsaved))
            for name in ("00", "new"):
                part.devices.ended(run_at(BEGIN, device=name, body=body))
        assert 0 < 100 - waiting[0] <= MOST_WRITTEN / 4000
        assert "new" in {each.name for each in store.read()}
        await part.stop()
        assert len(store.read()) == 101
        store.close()

    asyncio.run(live())


def test_a_damaged_row_is_left_out_and_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "devices.db"

    def learn(part: DevicesPart, clock: Clock) -> None:
        for name in ("a", "b"):
            part.devices.ended(run_at(BEGIN, device=name))

    play(file, learn)
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "UPDATE devices SET told = CAST(replace(told, 'telemetry', 'telemetrY') AS BLOB) WHERE name = 'a'"
        )
        database.commit()
    assert play(file, lambda part, clock: None) == ["b"]
    file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    assert play(file, learn) == []
    assert file.with_suffix(".damaged").exists()
    assert play(file, lambda part, clock: None) == ["a", "b"]


def test_a_disk_that_takes_nothing_is_said_once_and_written_to_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def live() -> None:
        store = DeviceStore(tmp_path / "devices.db")
        part = DevicesPart(heard(BEGIN), store)
        write = store.write

        def refuse(*_: object) -> None:
            raise OSError("no room")

        monkeypatch.setattr(store, "write", refuse)
        await part.flush()
        await part.flush()
        monkeypatch.setattr(store, "write", write)
        await part.flush()
        store.close()

    asyncio.run(live())
    assert len([each for each in caplog.records if "in memory only" in each.message]) == 1
    assert [each.name for each in DeviceStore(tmp_path / "devices.db").read()] == ["press-1"]


def test_a_list_is_sorted_filtered_and_has_those_that_only_the_config_names() -> None:
    clock = Clock()
    devices = Devices(clock=clock)
    for number, name in enumerate(("press-2", "press-1", "oven-1")):
        devices.ended(run_at(BEGIN + 30 * number, device=name))
    clock.now = BEGIN + 70
    listing = Listing(devices, lambda: {"press-1": ["industry"], "oven-9": ["industry"]})

    def names(wanted: Wanted) -> list[str]:
        return [each["name"] for each in asyncio.run(listing.page(wanted))["devices"]]

    assert names(Wanted()) == ["oven-1", "oven-9", "press-1", "press-2"]
    assert names(Wanted(text="PRESS", order="seen", down=True)) == ["press-1", "press-2"]
    assert names(Wanted(state="never")) == ["oven-9"]
    assert names(Wanted(offset=1, limit=2)) == ["oven-9", "press-1"]
    told = asyncio.run(listing.page(Wanted(text="oven")))
    assert (told["total"], told["counts"]) == (2, {"online": 2, "offline": 1, "never": 1})
    assert listing.unseen() == 1


def test_a_function_of_which_nothing_was_heard_longest_gives_way_to_another() -> None:
    devices = Devices(clock=Clock())
    for number in range(6):
        devices.ended(run_at(BEGIN + number, function=f"f{number}"))
    assert list(devices.all()[0].lines) == ["f2", "f3", "f4", "f5"]
    assert Line("f").silence == 60
