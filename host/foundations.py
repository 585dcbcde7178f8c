"""The lower half of the composition root: who may do what, and what runs functions."""

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
from host.access.guard import Guard, GuardParts, Rules
from host.access.local_token import LocalToken
from host.access.session_file import FILE as SESSIONS
from host.access.sessions import Sessions
from host.access.token_file import FILE as TOKENS
from host.access.token_text import digest_of, make_token
from host.access.tokens import Tokens
from host.boxes import make_boxes
from host.delivery import make_failpoints, make_limits
from host.deployment.additions import Additions
from host.deployment.catalog import Catalog, Grounds
from host.deployment.collector import Collector, CollectorParts
from host.deployment.deployer import Deployer, DeployGrounds
from host.deployment.files import RevisionFiles
from host.deployment.room import Room
from host.deployment.sources import find_bases, pickle_policy
from host.deployment.tasks import DeployTasks
from host.invocations import awaited_targets
from host.logs.store import LogStore
from host.observing.compose import Observing, compose_observing
from host.scaling import ScalingPart
from host.state import StateDir
from runtime.dispatch.dispatcher import Dispatcher
from runtime.overlay import prepare_overlay
from runtime.process import Workshop
from runtime.scaling.memory import default_budget
from runtime.sharing.register import Register
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore


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
    scaling: ScalingPart
    store: DeliveryStore
    failpoints: Failpoints
    audit: AuditLog


@dataclass(frozen=True)
class Base:
    """What triggers and the web stand on."""

    settings: Settings
    state: StateDir
    logs: LogStore
    access: Access
    shared: Shared
    functions: Functions
    observing: Observing


def compose_access(settings: Settings, state: StateDir) -> Access:
    """Build what callers have to pass; raises AccessFileError."""
    audit, sessions = AuditLog(state.root, time.time), Sessions(state.root / SESSIONS, time.time)
    tokens = Tokens(state.root / TOKENS, time.time)
    tokens.load()
    rules = Rules(
        Address(settings.listen_host, 0).is_loopback,
        settings.config.access.invoke == "open",
        settings.allow_anonymous,
        settings.config.access.metrics == "open",
    )
    token = make_token()
    attempts = Attempts(time.monotonic)
    guard = Guard(GuardParts(rules, tokens, sessions, attempts, audit, digest_of(token)))
    sessions.load(guard.identify_again)
    local = LocalToken(token, state.root, os.environ, has_tls=settings.config.tls is not None)
    return Access(audit, tokens, sessions, guard, local)


def compose_functions(config: Config, state: StateDir, shared: Shared) -> Functions:
    """Build what deploys functions and finds their pools."""
    dispatcher = Dispatcher()
    registry = Registry(state.registry)
    files = RevisionFiles(state, registry)
    workshop, scaler, failpoints = shared.workshop, shared.scaling.scaler, shared.failpoints
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
    return Functions(
        dispatcher, registry, catalog, collector, room, deployer, DeployTasks(deployer, state.root)
    )


def compose_base(settings: Settings, state: StateDir) -> Base:
    """Build what needs no trigger; raises AccessFileError."""
    config = settings.config
    logs = LogStore(state.logs, config.limits.log_size)
    access = compose_access(settings, state)
    failpoints = make_failpoints(os.environ)
    store = DeliveryStore(state.delivery, make_limits(config.limits), failpoints)
    overlay = prepare_overlay(state.overlay)
    boxes = make_boxes(config.isolation, state, overlay, config.limits.memory or default_budget())
    register = Register(state.shared_output, (state.packages, state.environments))
    pickles = pickle_policy(config)
    observing = compose_observing(config, state)
    workshop = Workshop(
        *(overlay, state.owner(), logs.append, boxes, pickles),
        shared=register,
        observer=observing.observers,
    )
    scaling = ScalingPart(config.limits.memory, observing.observers)
    shared = Shared(workshop, scaling, store, failpoints, access.audit)
    return Base(settings, state, logs, access, shared, compose_functions(config, state, shared), observing)
