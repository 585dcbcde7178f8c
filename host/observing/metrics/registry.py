"""The one registry of the host: collectors that fail are left out, said, and counted."""

import logging
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from host.observing.metrics.families import NONE, counter

logger = logging.getLogger(__name__)

Collect = Callable[[], Iterable[Metric]]


class ScrapeErrors(Collector):
    """Counts what could not be told, and says it once in a row."""

    def __init__(self) -> None:
        self.count = 0
        self._said: set[str] = set()

    def note(self, what: str) -> None:
        """To be called where the error is handled."""
        self.count += 1
        level = logging.DEBUG if what in self._said else logging.ERROR
        self._said.add(what)
        logger.log(level, "metrics: %s is left out of the page, by an error of ours", what, exc_info=True)

    def collect(self) -> Iterable[Metric]:
        """Its count, of this time as well where it comes last."""
        says = "Parts of this page that were left out because of an error of the host."
        yield counter("fnhost_scrape_errors", says, ((NONE, each) for each in (self.count,)))


class Guarded(Collector):
    """Another collector, whose failure ends only its own part of the page."""

    def __init__(self, collect: Collect, errors: ScrapeErrors) -> None:
        self._collect = collect
        self._errors = errors

    def collect(self) -> Iterator[Metric]:
        """What it has, as far as it comes."""
        try:
            yield from self._collect()
        except Exception:  # noqa: BLE001 - it is logged there, and the other collectors are asked
            self._errors.note(getattr(self._collect, "__qualname__", "a collector"))


def make_registry(collects: Iterable[Collect], errors: ScrapeErrors) -> CollectorRegistry:
    """A registry of these, in their order, and at last of what failed of them."""
    registry = CollectorRegistry()
    for collect in collects:
        registry.register(Guarded(collect, errors))
    registry.register(errors)
    return registry
