"""Puts together all that watches functions at work: made first, given what it looks at when that is there."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.routing import Route

from conf.models import Config
from host.bridges import BridgesPart
from host.delivery import DeliveryPart
from host.deployment.catalog import Catalog
from host.health import Health
from host.invocations import InvocationsPart
from host.lifecycle import Part
from host.logs.watcher import LogWatcher
from host.mqtt import MqttPart
from host.observing.devices.devices import LARGE, Devices, Keeping
from host.observing.devices.listing import Listing
from host.observing.devices.part import DevicesPart
from host.observing.devices.store import DeviceStore
from host.observing.history.api import HistoryApi
from host.observing.history.axis import Axis
from host.observing.history.history import History
from host.observing.history.looking import Look, Sources, Waiting
from host.observing.history.part import HistoryPart, HistoryParts
from host.observing.history.processes import Processes
from host.observing.history.restoring import Restoring
from host.observing.history.saving import Saving, make_journals
from host.observing.metrics.cpu import CpuPart, CpuTimes
from host.observing.metrics.delivery_metrics import InboxMetrics, StoreMetrics
from host.observing.metrics.host_metrics import HostMetrics
from host.observing.metrics.mqtt_metrics import MqttMetrics
from host.observing.metrics.page import MetricsPage
from host.observing.metrics.pool_metrics import PoolMetrics, pools_of
from host.observing.metrics.registry import ScrapeErrors, make_registry
from host.observing.metrics.source_metrics import SourceMetrics
from host.observing.metrics.tallies import Tallies
from host.observing.metrics.tally_metrics import TallyMetrics
from host.observing.metrics.trace_metrics import TraceMetrics
from host.observing.records.part import RecordsPart
from host.observing.records.records import Records
from host.observing.records.redaction import read_paths
from host.observing.records.store import RecordStore
from host.observing.replays import Replays
from host.observing.traces.part import TracesPart, compose_traces
from host.scaling import ScalingPart
from host.state import StateDir
from host.timers import TimersPart
from host.web.devices import DevicesApi
from host.web.records import RecordsApi
from host.web.setups import SetupsApi
from runtime.events import Dispatch
from runtime.observations import Observers
from triggers.store.store import DeliveryStore


@dataclass(frozen=True)
class Observing:
    """What pools and triggers tell what happens to: `tallies` and `records`, beside others.

    `knowing` has the devices. `cpu` is what a part reads of their processes.
    `history` is what is kept of it by the second, and `axis` the time that it goes by. `replays` are of dead
    letters.
    """

    records: Records
    recording: RecordsPart
    knowing: DevicesPart
    observers: Observers = field(default_factory=Observers)
    tallies: Tallies = field(default_factory=Tallies)
    cpu: CpuTimes = field(default_factory=CpuTimes)
    traces: TracesPart | None = None
    history: History = field(default_factory=History)
    axis: Axis = field(default_factory=Axis)
    replays: Replays = field(default_factory=Replays)


@dataclass(frozen=True)
class Watched:
    """What is looked at, beside what the observers are told."""

    state: StateDir
    catalog: Catalog
    scaling: ScalingPart
    store: DeliveryStore
    delivery: DeliveryPart
    mqtt: MqttPart
    health: Health
    dispatch: Dispatch
    timers: TimersPart
    bridges: BridgesPart
    invocations: InvocationsPart


def compose_observing(config: Config, state: StateDir) -> Observing:
    """Build what is told, before there is anything that tells."""
    records = Records(config.records)
    recording = RecordsPart(records, RecordStore(state.records, config.records))
    # Who has no records kept wants no bodies on disk.
    largest = min(LARGE, config.records.body) if config.records.most else 0
    devices = Devices(Keeping(read_paths(config.records.redact), largest))
    knowing = DevicesPart(devices, DeviceStore(state.devices))
    observing = Observing(records, recording, knowing, traces=compose_traces(config.traces))
    observing.observers.add(observing.tallies)
    observing.observers.add(LogWatcher())
    observing.observers.add(records)
    observing.observers.add(devices)
    observing.observers.add(observing.replays)
    if observing.traces is not None:
        # Last: the timeline of a run that it makes tells any other.
        observing.observers.add(observing.traces.tracer)
    return observing


def observing_parts(observing: Observing, watched: Watched) -> list[Part]:
    """The parts that look for themselves, or write."""
    catalog = watched.catalog
    observing.tallies.is_deployed = catalog.functions.__contains__
    cpu = CpuPart(observing.cpu, lambda: pools_of(catalog), lambda: catalog.functions)
    own = [observing.recording, observing.knowing, cpu]
    return [*own, compose_history(observing, watched), *_traces(observing, watched)]


def _traces(observing: Observing, watched: Watched) -> list[Part]:
    if observing.traces is None:
        return []
    observing.traces.tracer.topics = watched.mqtt.topics
    return [observing.traces]


def observing_routes(observing: Observing, watched: Watched) -> list[Route]:
    """What the API shows of it."""
    recorded = RecordsApi(observing.recording, watched.dispatch)
    setups = SetupsApi(watched.catalog)
    history = HistoryApi(observing.history, observing.axis)
    devices = DevicesApi(observing.knowing.devices, listing_of(observing, watched))
    own = (*recorded.routes(), *setups.routes(), *history.routes(), *devices.routes())
    return [*_metrics(observing, watched).routes(), *own]


def listing_of(observing: Observing, watched: Watched) -> Listing:
    """The devices that were heard of, and those that the config names."""
    return Listing(observing.knowing.devices, watched.mqtt.devices)


def revisions_of(catalog: Catalog) -> dict[str, Collection[int]]:
    """Of each function that is deployed."""
    return {name: each.revisions for name, each in catalog.functions.items()}


def _metrics(observing: Observing, watched: Watched) -> MetricsPage:
    catalog, errors = watched.catalog, ScrapeErrors()
    host = HostMetrics(watched.health)
    counted = TallyMetrics(observing.tallies, lambda: revisions_of(catalog))
    pools = PoolMetrics(catalog, watched.scaling.scaler, observing.cpu)
    lanes = {"mqtt": watched.mqtt.lanes, "timer": watched.timers.lanes, "async": watched.invocations.lanes}
    inbox, store = InboxMetrics(lanes), StoreMetrics(watched.store, watched.delivery.quota)
    mqtt = MqttMetrics(watched.mqtt.state)
    others = SourceMetrics(watched.timers.state, watched.bridges.state)
    traces = TraceMetrics(lambda: observing.traces.lost if observing.traces is not None else 0)
    told = (host, counted, pools, inbox, store, mqtt, others, traces)
    return MetricsPage(make_registry([each.collect for each in told], errors), errors)


def compose_history(observing: Observing, watched: Watched) -> HistoryPart:
    """Build what looks once a second."""
    mqtt, store, folder = watched.mqtt, watched.store, watched.state.root / "history"

    def waiting() -> Waiting:
        return Waiting(*mqtt.waiting(), store.letter_count)

    catalog, figure = watched.catalog, watched.scaling.scaler.figure
    sources = Sources(
        observing.tallies, lambda: revisions_of(catalog), lambda: pools_of(catalog), figure, waiting
    )
    processes = Processes(asyncio.get_running_loop())
    look = Look(observing.history, sources, processes)
    journals = make_journals(folder)
    saving = Saving(observing.history, journals, observing.axis)
    restoring = Restoring(observing.history, journals)
    return HistoryPart(HistoryParts(observing.axis, observing.history, look, saving, restoring, folder))
