"""Pages of metrics, read with prometheus_client's own parser."""

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as open_metrics
from prometheus_client.parser import text_string_to_metric_families

Families = dict[str, Metric]


def parse(page: str) -> Families:
    """The families of a page in the text format, by name."""
    return {each.name: each for each in text_string_to_metric_families(page)}


def parse_open_metrics(page: str) -> Families:
    """The families of a page in the format of OpenMetrics, by name."""
    return {each.name: each for each in open_metrics.text_string_to_metric_families(page)}  # type: ignore[no-untyped-call]


def value_of(families: Families, sample: str, **labels: str) -> float:
    """The one sample with this name and these labels, among others."""
    found = [
        each.value
        for family in families.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert len(found) == 1, (sample, labels, found)
    return found[0]
