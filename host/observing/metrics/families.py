"""Families of metrics whose samples are made while they are written, one after the other."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Literal, cast

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from host.observing.metrics.buckets import BOUNDS, Buckets

Kind = Literal["counter", "gauge", "histogram", "summary"]
Values = Iterable[tuple[dict[str, str], float]]

UPPER = (*map(repr, BOUNDS), "+Inf")


class Labels(dict[str, str]):
    """The labels of a sample, never changed; `text` is how the page writes them."""

    __slots__ = ("text",)

    def __init__(self, labels: dict[str, str]) -> None:
        super().__init__(labels)
        self.text = label_text(labels)


@lru_cache(16384)
def labels_of(**labels: str) -> Labels:
    """These labels; the same ones are asked for with each page, and take longer to make than to write."""
    return Labels(labels)


NONE: dict[str, str] = {}


def label_text(labels: dict[str, str]) -> str:
    """Labels as both formats of Prometheus write them, without the braces."""
    return ",".join([f'{name}="{_escape(value)}"' for name, value in labels.items()])


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def counter(name: str, says: str, values: Values) -> Metric:
    """A family of counters; `name` goes without `_total`."""
    return _family("counter", name, says, (Sample(f"{name}_total", *value) for value in values))


def gauge(name: str, says: str, values: Values) -> Metric:
    """A family of gauges."""
    return _family("gauge", name, says, (Sample(name, *value) for value in values))


class Histogram(Metric):
    """A family of histograms: also as `blocks` of lines, since it is most of the page."""

    def __init__(self, name: str, says: str, values: Sequence[tuple[Labels, Buckets]]) -> None:
        super().__init__(name, says, "histogram")
        self.samples = cast(list[Sample], self._cumulate(values))
        self.blocks = self._write(values)

    def _cumulate(self, values: Sequence[tuple[Labels, Buckets]]) -> Iterator[Sample]:
        name = self.name
        for labels, buckets in values:
            counts, seconds = _totals(buckets)
            for upper, number in zip(UPPER, counts, strict=True):
                yield Sample(f"{name}_bucket", {**labels, "le": upper}, number)
            yield Sample(f"{name}_count", labels, counts[-1])
            yield Sample(f"{name}_sum", labels, seconds)

    def _write(self, values: Sequence[tuple[Labels, Buckets]]) -> Iterator[str]:
        name = self.name
        for labels, buckets in values:
            counts, seconds = _totals(buckets)
            head = f'{name}_bucket{{{labels.text},le="'
            lines = [f'{head}{upper}"}} {number}\n' for upper, number in zip(UPPER, counts, strict=True)]
            lines.append(f"{name}_count{{{labels.text}}} {counts[-1]}\n")
            lines.append(f"{name}_sum{{{labels.text}}} {seconds}\n")
            yield "".join(lines)


def _totals(buckets: Buckets) -> tuple[list[int], float]:
    # Both at once: events go on between two samples.
    return list(accumulate(buckets.counts)), buckets.total


def summary(name: str, says: str, values: Iterable[tuple[Labels, int, float]]) -> Metric:
    """A family of summaries without quantiles: labels, count and sum."""
    return _family("summary", name, says, _count_and_sum(name, values))


def _family(kind: Kind, name: str, says: str, samples: Iterable[Sample]) -> Metric:
    family = Metric(name, says, kind)
    # Whoever reads a registry goes through them once; a list of thousands would stand there for nothing.
    family.samples = cast(list[Sample], samples)
    return family


def _count_and_sum(name: str, values: Iterable[tuple[Labels, int, float]]) -> Iterator[Sample]:
    for labels, number, seconds in values:
        yield Sample(f"{name}_count", labels, number)
        yield Sample(f"{name}_sum", labels, seconds)
