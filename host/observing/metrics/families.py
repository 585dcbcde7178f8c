"""Families of metrics whose samples are made while they are written, one after the other."""

from collections.abc import Iterable, Iterator
from typing import Literal, cast

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from host.observing.metrics.buckets import BOUNDS, Buckets

Kind = Literal["counter", "gauge", "histogram", "summary"]
Values = Iterable[tuple["Labels", float]]

UPPER = (*map(repr, BOUNDS), "+Inf")


class Labels(dict[str, str]):
    """The labels of a sample; `text` is how the page writes them, made once for all families of a function."""

    __slots__ = ("text",)

    def __init__(self, **labels: str) -> None:
        super().__init__(labels)
        self.text = label_text(labels)

    def bounded(self, upper: str) -> "Labels":
        """These, of the bucket with this upper bound."""
        bounded = Labels.__new__(Labels)
        bounded.update(self)
        bounded["le"] = upper
        bounded.text = f'{self.text},le="{upper}"'
        return bounded


NONE = Labels()


def label_text(labels: dict[str, str]) -> str:
    """Labels as both formats of Prometheus write them, without the braces."""
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def counter(name: str, says: str, values: Values) -> Metric:
    """A family of counters; `name` goes without `_total`."""
    return _family("counter", name, says, (Sample(f"{name}_total", *value) for value in values))


def gauge(name: str, says: str, values: Values) -> Metric:
    """A family of gauges."""
    return _family("gauge", name, says, (Sample(name, *value) for value in values))


def histogram(name: str, says: str, values: Iterable[tuple[Labels, Buckets]]) -> Metric:
    """A family of histograms."""
    return _family("histogram", name, says, _cumulate(name, values))


def summary(name: str, says: str, values: Iterable[tuple[Labels, int, float]]) -> Metric:
    """A family of summaries without quantiles: labels, count and sum."""
    return _family("summary", name, says, _count_and_sum(name, values))


def _family(kind: Kind, name: str, says: str, samples: Iterable[Sample]) -> Metric:
    family = Metric(name, says, kind)
    # Whoever reads a registry goes through them once; a list of thousands would stand there for nothing.
    family.samples = cast(list[Sample], samples)
    return family


def _cumulate(name: str, values: Iterable[tuple[Labels, Buckets]]) -> Iterator[Sample]:
    bucket, count, total = f"{name}_bucket", f"{name}_count", f"{name}_sum"
    for labels, buckets in values:
        # Both at once: events go on between two samples.
        counts, seconds, so_far = tuple(buckets.counts), buckets.total, 0
        for upper, number in zip(UPPER, counts, strict=True):
            so_far += number
            yield Sample(bucket, labels.bounded(upper), so_far)
        yield Sample(count, labels, so_far)
        yield Sample(total, labels, seconds)


def _count_and_sum(name: str, values: Iterable[tuple[Labels, int, float]]) -> Iterator[Sample]:
    for labels, number, seconds in values:
        yield Sample(f"{name}_count", labels, number)
        yield Sample(f"{name}_sum", labels, seconds)
