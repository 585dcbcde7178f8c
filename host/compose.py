"""The composition root: everything is built here and handed down; nobody else constructs collaborators."""

import os
import time
from dataclasses import dataclass
from functools import partial

from conf.address import Address
from conf.models import Config
from conf.settings import Settings
from functions.byte_code_store import ByteCodeStore
from functions.registry import Registry
from host.access.attempts import Attempts
from host.access.audit import AuditLog
from host.access.gate import Gate
from host.access.guard import Guard, GuardParts, Rules
from host.access.local_token import LocalToken
from host.access.part import AccessPart, AuditPart
from host.access.sessions import Sessions
from host.access.token_file import FILE as TOKENS
from host.access.token_text import digest_of, make_token
from host.access.tokens import Tokens
from host.boxes import make_boxes
from host.bridges import BridgesPart
from host.delivery import DeliveryPart, Workers, make_failpoints, make_limits
from host.deployment.additions import Additions
from host.deployment.catalog import Catalog, Grounds
from host.deployment.collector import Collector, CollectorParts
from host.deployment.deployer import Deployer, DeployGrounds
from host.deployment.downloads import Downloads
from host.deployment.files import RevisionFiles
from host.deployment.room import Room
from host.deployment.sources import find_bases, find_sources, pickle_policy
from host.deployment.tasks import DeployTasks
from host.health import Health, check_functions
from host.invocations import InvocationGrounds, InvocationsPart, awaited_targets
from host.lifecycle import Lifecycle, Part
from host.logstore import LogStore
from host.mqtt import MqttPart
from host.parts import DeploysPart, FunctionsPart, LogsPart, ReadyPart
from host.plugins import HostInfo, load_plugins
from host.reload import Reloader, Running, make_rates
from host.scaling import ScalingPart
from host.state import StateDir
from host.timers import TimersPart
from host.usage import UsagePart
from host.web.access import AccessApi
from host.web.api import Api, ApiParts, Reports
from host.web.deploys import DeployParts, DeploysApi
from host.web.edge import Edge
from host.web.inspections import InspectionsApi
from host.web.invocations import InvocationsApi
from host.web.letters import LettersApi
from host.web.openapi import document
from host.web.server import WebPart
from host.web.sessions import SessionsApi
from host.web.usage import UsageApi
from runtime.dispatch.dispatcher import Dispatcher
from runtime.overlay import prepare_overlay
from runtime.process import Workshop
from runtime.ratelimit import limit_dispatch
from runtime.scaling.scaler import Scaler
from runtime.sharing.register import Register
from runtime.usage import Usage
from triggers.bodies import Bodies
from triggers.delivery.keeping import Keeping
from triggers.delivery.letters import DeadLetters
from triggers.http import Checks, HttpTrigger
from triggers.mqtt.feed import Feed
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore
from triggers.timers.timer import TimerParts


@dataclass(frozen=True)
class Host:
    """The composed program."""

    lifecycle: Lifecycle
    web: WebPart
    reloader: Reloader
    audit: AuditLog


@dataclass(frozen=True)
class Access:
    """What decides who may do what, and writes down who did."""

    audit: AuditLog
    tokens: Tokens
    sessions: Sessions
    guard: Guard
    local: LocalToken


@dataclass(frozen=True)
class Functions:
    """All that deploys functions and finds the pools that run them."""

    dispatcher: Dispatcher
    registry: Registry
    catalog: Catalog
    collector: Collector
    room: Room
    deployer: Deployer
    tasks: DeployTasks


@dataclass(frozen=True)
class Shared:
    """What functions have in common with the rest of the host."""

    workshop: Workshop
    scaler: Scaler
    store: DeliveryStore
    failpoints: Failpoints
    audit: AuditLog


def compose_access(settings: Settings, state: StateDir) -> Access:
    """Build what callers have to pass; raises AccessFileError."""
    audit, sessions = AuditLog(state.root, time.time), Sessions(time.time)
    tokens = Tokens(state.root / TOKENS, time.time)
    tokens.load()
    rules = Rules(
        Address(settings.listen_host, 0).is_loopback,
        settings.config.access.invoke == "open",
        settings.allow_anonymous,
    )
    token = make_token()
    attempts = Attempts(time.monotonic)
    guard = Guard(GuardParts(rules, tokens, sessions, attempts, audit, digest_of(token)))
    return Access(audit, tokens, sessions, guard, LocalToken(token, state.root, os.environ))


def compose_functions(config: Config, state: StateDir, shared: Shared) -> Functions:
    """Build what deploys functions and finds their pools."""
    dispatcher = Dispatcher()
    registry = Registry(state.registry)
    files = RevisionFiles(state, registry)
    workshop, scaler, failpoints = shared.workshop, shared.scaler, shared.failpoints
    additions = Additions.of(config)
    catalog = Catalog(Grounds(state, registry, files, workshop, dispatcher, scaler, additions, failpoints))
    collecting = CollectorParts(catalog, registry, files, partial(awaited_targets, shared.store))
    collector = Collector(collecting, config.limits.revisions)
    byte_code = ByteCodeStore(state.byte_code)
    room = Room(state, config.limits)
    deploying = DeployGrounds(
        state,
        registry,
        files,
        catalog,
        byte_code,
        room,
        collector.begin,
        shared.audit.record,
        pickle_policy(config),
    )
    deployer = Deployer(deploying, find_bases(config))
    return Functions(dispatcher, registry, catalog, collector, room, deployer, DeployTasks(deployer))


def compose(settings: Settings, state: StateDir) -> Host:
    """Build the host; needs a running event loop, and `state` locked."""
    config = settings.config
    logs = LogStore(state.logs, config.limits.log_size)
    health = Health()
    failpoints = make_failpoints(os.environ)
    store = DeliveryStore(state.delivery, make_limits(config.limits), failpoints)
    delivery = DeliveryPart(store, config.limits.delivery)
    workers = Workers()
    scaling = ScalingPart(config.limits.memory)
    access = compose_access(settings, state)
    overlay = prepare_overlay(state.overlay)
    boxes = make_boxes(config.isolation, state, overlay)
    register = Register(state.shared_output, (state.packages, state.environments))
    pickles = pickle_policy(config)
    workshop = Workshop(overlay, state.owner(), logs.append, boxes, pickles, shared=register)
    shared = Shared(workshop, scaling.scaler, store, failpoints, access.audit)
    functions = compose_functions(config, state, shared)
    dispatcher, catalog, deployer = functions.dispatcher, functions.catalog, functions.deployer
    deploys = DeploysPart(Downloads(find_sources(settings, state.downloads), state, deployer))
    edge, usage = Edge(settings), Usage()
    limited = limit_dispatch(dispatcher.dispatch, rates := make_rates(config))
    dispatch = usage.count(edge.quotas.limit(limited))
    keeping = Keeping(store, failpoints)
    mqtt = MqttPart(config, Feed(dispatch, dispatcher.max_event), deploys.tried, keeping)
    timers = TimersPart(config, TimerParts(dispatch, keeping, mqtt.publishers), deploys.tried)
    bridges = BridgesPart(config.bridges, config.rate_limit_resources)
    invocations = InvocationsPart(config, InvocationGrounds(store, failpoints, dispatcher, dispatch))
    for wake in (mqtt.wake, timers.wake, invocations.wake):
        workers.add(wake)
    accept = edge.charging(invocations.accept)
    foresee = usage.foresee(edge.quotas.foresee(dispatcher.find))
    checks = Checks(access.guard.admit, foresee, Bodies(config.limits.bodies))
    trigger = HttpTrigger(dispatch, config.limits.max_body, accept, checks)
    room, collector = functions.room, functions.collector
    running = Running(
        *(state, catalog, collector, room, logs, deployer, deploys, mqtt, timers, bridges, trigger, rates),
        edge=edge,
    )
    reloader = Reloader(settings, os.environ, running)
    reports = Reports(mqtt.queue_rows, mqtt.connections, delivery.view, deploys.why, catalog.decisions)
    letters = LettersApi(DeadLetters(store, workers.wake))
    entrance = AccessPart(access.tokens, access.guard, access.local, lambda: web.addresses)
    routes = [
        *letters.routes(),
        *InvocationsApi(invocations.ledger).routes(),
        *timers.routes(),
        *DeploysApi(DeployParts(state.staging, deployer, functions.tasks, room)).routes(),
        *InspectionsApi(catalog, state).routes(),
        *UsageApi(usage).routes(),
        *AccessApi(access.tokens, access.audit, entrance.renew).routes(),
        *SessionsApi(access.guard, access.sessions).routes(),
        *document.routes(),
    ]
    api = Api(ApiParts(state, catalog, deployer, logs, health, reports, reloader), routes)
    gate = Gate(api.application(), access.guard, access.audit)
    web = WebPart(edge.door(trigger, gate), settings)
    health.add(lambda: check_functions(catalog))
    for part in (delivery, mqtt, timers, bridges):
        health.add(part.checks)
    parts: list[Part] = [
        AuditPart(access.audit),
        LogsPart(logs),
        scaling,
        delivery,
        FunctionsPart(catalog, functions.collector, functions.registry, workshop),
        UsagePart(usage, state.usage),
        deploys,
        invocations,
        mqtt,
        timers,
        bridges,
        entrance,
        web,
        ReadyPart(health, functions.tasks, logs),
        *load_plugins(HostInfo(dispatch, config, state.root)),
    ]
    return Host(Lifecycle(parts), web, reloader, access.audit)
