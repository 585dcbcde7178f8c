"""Writes the families of a registry as a page, in slices, so that events go on meanwhile.

prometheus_client's own `generate_latest` takes its time for thousands of series, all at once. Formats: text
0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0.
"""

import asyncio
import math
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import CollectorRegistry
from prometheus_client.samples import Sample

from host.observing.metrics.families import Histogram, Labels, label_text
from host.observing.metrics.registry import ScrapeErrors

SLICE = 100
"""Samples, or histograms, that are written in one turn of the event loop: a millisecond or two."""
ENDLESS = {math.inf: "+Inf", -math.inf: "-Inf"}


@dataclass(frozen=True)
class Format:
    """One of the two formats."""

    content_type: str
    total: str
    """What ends the name of a family of counters in its head."""
    end: str


TEXT = Format("text/plain; version=0.0.4; charset=utf-8", "_total", "")
OPEN_METRICS = Format("application/openmetrics-text; version=1.0.0; charset=utf-8", "", "# EOF\n")


def choose_format(accept: str) -> Format:
    """OpenMetrics for who asks for it by name, as Prometheus does."""
    return OPEN_METRICS if "application/openmetrics-text" in accept.lower() else TEXT


async def write_page(registry: CollectorRegistry, form: Format, errors: ScrapeErrors) -> bytes:
    """All families that can be told."""
    pieces: list[str] = []
    for family in registry.collect():
        try:
            pieces += await _write_family(family, form)
        except Exception:  # noqa: BLE001 - it is logged there, and the rest of the page is told
            errors.note(family.name)
        await asyncio.sleep(0)
    return ("".join(pieces) + form.end).encode("utf-8", "replace")


async def _write_family(family: Metric, form: Format) -> list[str]:
    name = f"{family.name}{form.total}" if family.type == "counter" else family.name
    lines = [f"# HELP {name} {family.documentation}\n# TYPE {name} {family.type}\n"]
    blocks = family.blocks if isinstance(family, Histogram) else map(_write, family.samples)
    for number, block in enumerate(blocks, 1):
        lines.append(block)
        if number % SLICE == 0:
            await asyncio.sleep(0)
    return lines


def _write(sample: Sample) -> str:
    labels, value = sample.labels, sample.value
    told = value if isinstance(value, int) or math.isfinite(value) else ENDLESS.get(value, "NaN")
    if isinstance(labels, Labels):
        return f"{sample.name}{{{labels.text}}} {told}\n"
    return f"{sample.name}{{{label_text(labels)}}} {told}\n" if labels else f"{sample.name} {told}\n"
