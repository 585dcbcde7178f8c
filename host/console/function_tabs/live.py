"""The tab `live` of a function's page: its input against its output, as events come."""

from host.console.ground import Ground
from host.console.live.tap import TapSource
from host.console.page import Tab
from host.observing.records.redaction import read_paths


def make(ground: Ground) -> Tab:
    """The tab, and the channel that its samples come by."""
    observing, functions = ground.observing, ground.watched.catalog.functions
    paths = read_paths(observing.records.rules.redact)
    tap = TapSource(observing.observers, lambda: functions, paths)
    return Tab("live", charts=True, sources=(tap,))
