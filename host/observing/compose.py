"""Puts together all that watches functions at work: made first, given what it looks at when that is there."""

from dataclasses import dataclass, field

from starlette.routing import Route

from conf.models import Config
from host.delivery import DeliveryPart
from host.deployment.catalog import Catalog
from host.lifecycle import Part
from host.mqtt import MqttPart
from host.observing.metrics.tallies import Tallies
from host.observing.records.part import RecordsPart
from host.observing.records.records import Records
from host.observing.records.store import RecordStore
from host.scaling import ScalingPart
from host.state import StateDir
from runtime.observations import Observers
from triggers.store.store import DeliveryStore


@dataclass(frozen=True)
class Observing:
    """What pools and triggers tell what happens to: `tallies` and `records`, beside others."""

    records: Records
    recording: RecordsPart
    observers: Observers = field(default_factory=Observers)
    tallies: Tallies = field(default_factory=Tallies)


@dataclass(frozen=True)
class Watched:
    """What is looked at, beside what the observers are told."""

    state: StateDir
    catalog: Catalog
    scaling: ScalingPart
    store: DeliveryStore
    delivery: DeliveryPart
    mqtt: MqttPart


def compose_observing(config: Config, state: StateDir) -> Observing:
    """Build what is told, before there is anything that tells."""
    records = Records(config.records)
    observing = Observing(records, RecordsPart(records, RecordStore(state.records, config.records)))
    observing.observers.add(observing.tallies)
    observing.observers.add(records)
    return observing


def observing_parts(observing: Observing, watched: Watched) -> list[Part]:
    """The parts that look for themselves, or write."""
    observing.tallies.is_deployed = watched.catalog.functions.__contains__
    return [observing.recording]


def observing_routes(observing: Observing, watched: Watched) -> list[Route]:
    """What the API shows of it."""
    return []
