"""Tests of what is counted of each function."""

from dataclasses import replace

from host.observing.metrics.tallies import FunctionTally, Tallies, word_of
from runtime.events import Event, QueueFullError, UnknownFunctionError
from runtime.observations import RESULTS
from tests.observing.told import late, ok, run_of, spec_of


def test_runs_are_counted_by_revision_trigger_and_result() -> None:
    tallies = Tallies()
    for revision, trigger in ((1, "http"), (1, "http"), (2, "mqtt")):
        tallies.ended(run_of(spec_of("industry", revision), ok(), trigger))
    tallies.ended(run_of(spec_of("industry", 2), late(), "mqtt"))
    tallies.ended(run_of(spec_of("trend"), None))
    industry = tallies.functions()["industry"]
    assert industry.runs == {(1, "http", "ok"): 2, (2, "mqtt", "ok"): 1, (2, "mqtt", "timeout"): 1}
    assert industry.results() == {"ok": 3, "timeout": 1}
    assert tallies.functions()["trend"].results() == {"cancelled": 1}
    assert set(industry.results()) <= set(RESULTS)


def test_times_fall_into_the_bucket_that_ends_with_them() -> None:
    tallies = Tallies()
    for seconds in (0.0005, 0.0006, 61.0):
        tallies.ended(run_of(spec_of(), ok(seconds), waited=0.25))
    tally = tallies.functions()["industry"]
    counts = tally.duration.counts
    assert (counts[0], counts[1], counts[-1], tally.duration.count) == (1, 1, 1, 3)
    assert tally.queue.count == 3
    assert round(tally.duration.total, 4) == 61.0011


def test_runs_that_take_most_of_their_deadline_are_counted_whatever_their_bucket() -> None:
    tallies, spec = Tallies(), replace(spec_of(), timeout=30.0)
    for seconds in (11.0, 24.0, 24.5, 29.0):
        tallies.ended(run_of(spec, ok(seconds), waited=29.0))
    waited_only, run = run_of(spec, late()), run_of(spec, late())
    waited_only.sent, waited_only.ended, run.ended = 0.0, 130.0, 130.0
    for each in (waited_only, run):
        tallies.ended(each)
    assert tallies.functions()["industry"].near_deadline == 3


def test_an_event_that_no_instance_had_has_a_wait_and_no_duration() -> None:
    tallies = Tallies()
    run = run_of(spec_of(), late())
    run.sent, run.ended = 0.0, 130.0
    tallies.ended(run)
    tally = tallies.functions()["industry"]
    assert (tally.duration.count, tally.queue.count, tally.queue.total) == (0, 1, 30.0)


def test_refusals_of_names_that_nobody_deployed_are_one() -> None:
    tallies = Tallies({"industry"}.__contains__)
    event = Event(b"", trigger="mqtt")
    tallies.refused("industry@7", event, UnknownFunctionError("no such revision"))
    tallies.refused("industry", event, QueueFullError("full"))
    for number in range(100):
        tallies.refused(f"guess{number}", event, UnknownFunctionError("no such function"))
    assert list(tallies.functions()) == ["industry"]
    refused = tallies.functions()["industry"].refused
    assert refused == {("mqtt", "unknown_function"): 1, ("mqtt", "queue_full"): 1}
    assert tallies.unknown == {("mqtt", "unknown_function"): 100}


def test_a_revision_that_goes_takes_its_series_and_leaves_its_counts() -> None:
    tallies = Tallies()
    for revision in (1, 2):
        tallies.ended(run_of(spec_of("industry", revision), ok()))
    tallies.ended(run_of(spec_of("trend"), ok()))
    tallies.retain({"industry": {2}})
    assert list(tallies.functions()) == ["industry"]
    industry = tallies.functions()["industry"]
    assert industry.runs == {(2, "http", "ok"): 1}
    assert industry.totals() == {("http", "ok"): 2}


def test_errors_are_told_by_the_word_of_their_class() -> None:
    assert word_of(QueueFullError) == "queue_full"
    assert FunctionTally().results() == {}
