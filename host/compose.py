"""The composition root: with `host/foundations.py` it alone constructs collaborators, and hands them down."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from conf.settings import Settings
from host.access.audit import AuditLog
from host.access.gate import Gate
from host.access.part import AccessPart, AuditPart
from host.bridges import BridgesPart
from host.configuring.desk import Desk
from host.console.compose import compose_console
from host.console.ground import Ground
from host.console.site import FILES
from host.delivery import DeliveryPart, Workers
from host.deployment.downloads import Downloads
from host.deployment.sources import find_sources
from host.foundations import Base, compose_base
from host.health import Health, check_functions
from host.invocations import InvocationGrounds, InvocationsPart
from host.lifecycle import Lifecycle, Part
from host.mqtt import ListeningPart, MqttPart
from host.observing.compose import Watched, observing_parts, observing_routes
from host.observing.records.redaction import read_paths
from host.observing.traces.part import trace_dispatch
from host.parts import DeploysPart, FunctionsPart, LogsPart, ReadyPart
from host.plugins import HostInfo, load_plugins
from host.reload import Reloader, Running, make_rates
from host.saved_events import SavedEvents
from host.state import StateDir
from host.timers import TimersPart
from host.usage import UsagePart
from host.web.access import AccessApi
from host.web.api import Api, ApiParts, Reports
from host.web.configs import ConfigsApi
from host.web.deploys import DeployParts, DeploysApi
from host.web.edge import Edge
from host.web.environments import EnvironmentsApi
from host.web.inspections import InspectionsApi
from host.web.invocations import InvocationsApi
from host.web.letter_edits import Edits, accepted_by
from host.web.letters import LettersApi
from host.web.logs import LogsApi
from host.web.mqtt import MqttApi
from host.web.openapi import document
from host.web.pages import Pages
from host.web.saved_events import SavedEventsApi
from host.web.server import WebPart
from host.web.sessions import SessionsApi
from host.web.status import StatusApi, StatusParts
from host.web.tries import TriesApi, TryParts
from host.web.usage import UsageApi
from host.web.veil import Veil
from runtime.events import Dispatch
from runtime.ratelimit import RateLimit, limit_dispatch
from runtime.usage import Usage
from triggers.bodies import Bodies
from triggers.delivery.keeping import Keeping
from triggers.delivery.letters import DeadLetters
from triggers.http import Checks, HttpTrigger
from triggers.mqtt.feed import Feed
from triggers.timers.timer import TimerParts

MakePart = Callable[[Base], Part]


@dataclass(frozen=True)
class Host:
    """The composed program."""

    lifecycle: Lifecycle
    web: WebPart
    reloader: Reloader
    audit: AuditLog


@dataclass(frozen=True)
class Triggers:
    """All that hands events to functions; `rates` are those of functions."""

    edge: Edge
    usage: Usage
    rates: dict[str, RateLimit]
    dispatch: Dispatch
    workers: Workers
    deploys: DeploysPart
    mqtt: MqttPart
    timers: TimersPart
    bridges: BridgesPart
    invocations: InvocationsPart
    http: HttpTrigger


@dataclass(frozen=True)
class Web:
    """The port, and what is behind it beside functions."""

    port: WebPart
    entrance: AccessPart
    reloader: Reloader
    watching: list[Part]


def compose_triggers(base: Base) -> Triggers:
    """Build what takes events in, and the bounds that they pass."""
    config, shared, functions = base.settings.config, base.shared, base.functions
    dispatcher, store, failpoints = functions.dispatcher, shared.store, shared.failpoints
    downloads = find_sources(base.settings, base.state.downloads)
    deploys = DeploysPart(Downloads(downloads, base.state, functions.deployer))
    edge, usage, rates = Edge(base.settings), Usage(observer=base.observing.observers), make_rates(config)
    counted = usage.count(edge.quotas.limit(limit_dispatch(dispatcher.dispatch, rates)))
    dispatch = trace_dispatch(base.observing.traces, counted)
    keeping = Keeping(store, failpoints)
    mqtt = MqttPart(config, Feed(dispatch, dispatcher.max_event), deploys.tried, keeping)
    timers = TimersPart(config, TimerParts(dispatch, keeping, mqtt.publishers), deploys.tried)
    bridges = BridgesPart(config.bridges, config.rate_limit_resources)
    invocations = InvocationsPart(config, InvocationGrounds(store, failpoints, dispatcher, dispatch))
    workers = Workers()
    for wake in (mqtt.wake, timers.wake, invocations.wake):
        workers.add(wake)
    foresee = usage.foresee(edge.quotas.foresee(dispatcher.find))
    checks = Checks(base.access.guard.admit, foresee, Bodies(config.limits.bodies))
    http = HttpTrigger(dispatch, config.limits.max_body, edge.charging(invocations.accept), checks)
    return Triggers(edge, usage, rates, dispatch, workers, deploys, mqtt, timers, bridges, invocations, http)


def compose_reloader(base: Base, triggers: Triggers) -> Reloader:
    """Build what goes over to another config."""
    functions, each = base.functions, triggers
    running = Running(
        *(base.state, functions.catalog, functions.collector, functions.room, base.logs, functions.deployer),
        *(each.deploys, each.mqtt, each.timers, each.bridges, each.http, each.rates),
        edge=each.edge,
    )
    return Reloader(base.settings, os.environ, running)


def compose_veil(base: Base, reloader: Reloader) -> Veil:
    """Build what is over MQTT messages that are shown; it learns the secrets of each config."""
    veil = Veil(read_paths(base.observing.records.rules.redact))
    veil.learn(base.settings.config)
    reloader.listeners.append(lambda settings: veil.learn(settings.config))
    return veil


def compose_web(base: Base, triggers: Triggers, health: Health, delivery: DeliveryPart) -> Web:
    """Build the API, and the port that leads to it and to functions."""
    access, functions, state = base.access, base.functions, base.state
    reloader = compose_reloader(base, triggers)
    mqtt, catalog, deployer = triggers.mqtt, functions.catalog, functions.deployer
    looked_at = (state, catalog, base.shared.scaling, base.shared.store, delivery, mqtt, health)
    watched = Watched(*looked_at, triggers.dispatch, triggers.timers, triggers.bridges, triggers.invocations)
    reports = Reports(mqtt.queue_rows, delivery.view, triggers.deploys.why, catalog.decisions)
    saved = SavedEvents(state.root)
    letters = DeadLetters(base.shared.store, triggers.workers.wake)
    letters.on_replay = base.observing.replays.note
    console = compose_console(
        Ground(
            *(watched, base.observing, reloader, base.logs, functions.room, triggers.usage),
            urls=lambda: port.urls,
            why=triggers.deploys.why,
            letters=letters,
            veil=(veil := compose_veil(base, reloader)),
        )
    )
    entrance = AccessPart(access.tokens, access.guard, access.local, lambda: port.addresses)
    routes = [
        *LettersApi(letters, make_edits(base)).routes(),
        *InvocationsApi(triggers.invocations.ledger).routes(),
        *triggers.timers.routes(),
        *DeploysApi(DeployParts(state.staging, deployer, functions.tasks, functions.room)).routes(),
        *InspectionsApi(catalog, state).routes(),
        *EnvironmentsApi(catalog, state).routes(),
        *SavedEventsApi(saved, catalog, state).routes(),
        *TriesApi(TryParts(triggers.dispatch, triggers.http.bodies, lambda: triggers.http.max_body)).routes(),
        *ConfigsApi(Desk(reloader)).routes(),
        *UsageApi(triggers.usage).routes(),
        *LogsApi(functions.catalog, base.logs).routes(),
        *StatusApi(StatusParts(watched, functions.room, reloader, lambda: port.urls)).routes(),
        *observing_routes(base.observing, watched),
        *AccessApi(access.tokens, access.audit, entrance.renew).routes(),
        *SessionsApi(access.guard, access.sessions, access.audit).routes(),
        *MqttApi(mqtt, veil).routes(),
        *document.routes(),
        *console.routes,
        *Pages(FILES).routes(),
    ]
    api = Api(
        ApiParts(
            state, catalog, deployer, base.logs, health, reports, reloader, saved, console.site.show_home
        ),
        routes,
    )
    gate = Gate(api.application(), access.guard, access.audit)
    port = WebPart(triggers.edge.door(triggers.http, gate), base.settings)
    return Web(port, entrance, reloader, [*observing_parts(base.observing, watched), console.feed])


def make_edits(base: Base) -> Edits:
    """What may be sent in the place of a dead letter's payload."""
    functions, config = base.functions, base.settings.config
    keeps = not config.records.redact
    return Edits(
        partial(accepted_by, functions.catalog), functions.dispatcher.max_event, config.limits.max_body, keeps
    )


def compose(settings: Settings, state: StateDir, more: Sequence[MakePart] = ()) -> Host:
    """Build the host; needs a running event loop, and `state` locked. `more` makes parts beside its own."""
    base, health = compose_base(settings, state), Health()
    functions, shared, access = base.functions, base.shared, base.access
    delivery = DeliveryPart(shared.store, settings.config.limits.delivery)
    triggers = compose_triggers(base)
    web = compose_web(base, triggers, health, delivery)
    health.add(lambda: check_functions(functions.catalog))
    for part in (delivery, triggers.mqtt, triggers.timers, triggers.bridges):
        health.add(part.checks)
    parts: list[Part] = [
        AuditPart(access.audit),
        LogsPart(base.logs),
        shared.scaling,
        delivery,
        FunctionsPart(functions.catalog, functions.collector, functions.registry, shared.workshop),
        UsagePart(triggers.usage, state.usage),
        triggers.deploys,
        triggers.invocations,
        triggers.mqtt,
        ListeningPart(triggers.mqtt.visits),
        triggers.timers,
        triggers.bridges,
        *web.watching,
        web.entrance,
        web.port,
        ReadyPart(health, functions.tasks, base.logs),
        *load_plugins(HostInfo(triggers.dispatch, settings.config, state.root)),
        *(make(base) for make in more),
    ]
    return Host(Lifecycle(parts), web.port, web.reloader, access.audit)
