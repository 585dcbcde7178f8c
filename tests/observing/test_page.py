"""The page is what prometheus_client would write, in slices, and without what fails."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry

from host.observing.metrics.exposition import OPEN_METRICS, TEXT, choose_format, write_page
from host.observing.metrics.families import NONE, gauge
from host.observing.metrics.registry import Collect, ScrapeErrors, make_registry
from host.observing.metrics.tallies import Tallies
from host.observing.metrics.tally_metrics import TallyMetrics
from runtime.events import Event, QueueFullError
from tests.observing.pages import parse, parse_open_metrics, value_of
from tests.observing.told import late, ok, run_of, spec_of

NASTY = '工业 "a\\b"\n1'


def tallies_of(*functions: str) -> Tallies:
    """Counts of functions that had some of everything."""
    tallies = Tallies(set(functions).__contains__)
    for name in functions:
        spec = spec_of(name, 3)
        for outcome in (ok(0.004), ok(0.3), late(), None):
            tallies.ended(run_of(spec, outcome, waited=0.02))
        tallies.refused(name, Event(b""), QueueFullError("full"))
        tallies.started(spec, "cold", 0.5)
        tallies.stopped(spec, "died")
    tallies.refused("nobody", Event(b""), QueueFullError("full"))
    return tallies


def registry_of(*collects: Collect) -> tuple[CollectorRegistry, ScrapeErrors]:
    """A registry and what counts its errors."""
    errors = ScrapeErrors()
    return make_registry(collects, errors), errors


def write(registry: CollectorRegistry, errors: ScrapeErrors) -> str:
    return asyncio.run(write_page(registry, TEXT, errors)).decode()


def all_samples(page: str) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
    families = parse(page).values()
    return [(s.name, tuple(sorted(s.labels.items())), s.value) for each in families for s in each.samples]


def test_the_page_says_what_prometheus_client_would_say() -> None:
    names = ["industry", NASTY]
    collector = TallyMetrics(tallies_of(*names), lambda: {name: [3] for name in names})
    registry, errors = registry_of(collector.collect)
    page = write(registry, errors)
    assert all_samples(page) == all_samples(generate_latest(registry).decode())
    families = parse(page)
    labels = {"function": NASTY, "trigger": "http"}
    assert value_of(families, "fnhost_invocations_total", **labels, revision="3", result="ok") == 2
    assert value_of(families, "fnhost_refused_total", **labels, reason="queue_full") == 1
    assert value_of(families, "fnhost_refused_total", function="(unknown)") == 1
    duration = "fnhost_invocation_duration_seconds"
    assert value_of(families, f"{duration}_bucket", function=NASTY, le="0.005") == 3
    assert value_of(families, f"{duration}_bucket", function=NASTY, le="+Inf") == 4
    assert value_of(families, f"{duration}_count", function=NASTY) == 4


def test_who_asks_for_open_metrics_gets_it() -> None:
    assert choose_format("text/html, */*;q=0.2") is TEXT
    form = choose_format("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3")
    assert form is OPEN_METRICS
    registry, errors = registry_of(TallyMetrics(tallies_of(NASTY), lambda: {NASTY: {3}}).collect)
    page = asyncio.run(write_page(registry, form, errors)).decode()
    names = set(parse_open_metrics(page))
    assert {"fnhost_invocations", "fnhost_start_seconds", "fnhost_scrape_errors"} <= names


def test_series_of_what_is_gone_are_gone() -> None:
    deployed: dict[str, set[int]] = {"industry": {3}, "trend": {3}}
    registry, errors = registry_of(TallyMetrics(tallies_of(*deployed), lambda: deployed).collect)
    assert 'function="trend"' in write(registry, errors)
    del deployed["trend"]
    deployed["industry"] = {4}
    page = write(registry, errors)
    assert 'function="trend"' not in page
    assert 'revision="3"' not in page
    assert value_of(parse(page), "fnhost_invocation_queue_seconds_count", function="industry") == 4


def test_what_fails_is_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    def breaks_at_once() -> Iterator[Metric]:
        yield gauge("fnhost_before", "There is one.", [(NONE, 1)])
        raise RuntimeError("no such thing")

    def breaks_while_written() -> Iterator[Metric]:
        yield gauge("fnhost_broken", "There is none.", ((NONE, 1 // zero) for zero in (1, 0)))
        yield gauge("fnhost_after", "There is one.", [(NONE, 1)])

    registry, errors = registry_of(breaks_at_once, breaks_while_written)
    with caplog.at_level(logging.ERROR):
        pages = [write(registry, errors) for _ in range(2)]
    assert set(parse(pages[0])) == {"fnhost_before", "fnhost_after", "fnhost_scrape_errors"}
    assert [value_of(parse(page), "fnhost_scrape_errors_total") for page in pages] == [2, 4]
    # Said once, however often it is asked for.
    assert len([each for each in caplog.records if "is left out of the page" in each.message]) == 2


def test_other_things_go_on_while_a_large_page_is_written() -> None:
    names = [f"f{number}" for number in range(200)]
    registry, errors = registry_of(
        TallyMetrics(tallies_of(*names), lambda: {name: [3] for name in names}).collect
    )

    async def count_turns() -> int:
        writing = asyncio.ensure_future(write_page(registry, TEXT, errors))
        turns = 0
        while not writing.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(count_turns()) > 20
