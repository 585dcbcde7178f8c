"""Runs the host until it is told to stop."""

import asyncio
import gc
import logging
import os
import resource
import signal
import sqlite3
from collections.abc import Sequence

import uvloop

from conf.settings import Settings
from host.access.audit import HOST, Deed
from host.access.token_file import AccessFileError
from host.boxes import IsolationError
from host.compose import Host, MakePart, compose
from host.lifecycle import PartError
from host.logs.host_log import HostLog
from host.start_failures import explain_start
from host.state import StateDir, StateError

logger = logging.getLogger("fnhost")

STARTED, FAILED, IMPATIENT = 0, 1, 130
YOUNG_OBJECTS = 10_000


def serve(settings: Settings, more: Sequence[MakePart] = ()) -> int:
    """Run until SIGTERM or SIGINT; the exit code is 0, or 1 when the host cannot start.

    `more` makes parts beside the host's own.
    """
    log = HostLog()
    log.open(settings.log, settings.config)
    try:
        return _serve(settings, log, more)
    finally:
        log.close()


def _serve(settings: Settings, log: HostLog, more: Sequence[MakePart]) -> int:
    _raise_open_files()
    # Whatever the operator's is: functions that are users of their own must be able to read packages.
    os.umask(0o022)
    state = StateDir(settings.state_dir)
    try:
        state.lock()
        uvloop.run(_run(settings, state, log, more))
    except (AccessFileError, PartError, StateError, IsolationError, OSError, sqlite3.Error) as error:
        logger.error("%s", explain_start(error, settings.state_dir))
        return FAILED
    finally:
        state.unlock()
    return STARTED


async def _run(settings: Settings, state: StateDir, log: HostLog, more: Sequence[MakePart]) -> None:
    stop = asyncio.Event()
    _catch_signals(stop)
    host = compose(settings, state, more)
    host.reloader.listeners.append(log.follow)
    telling = asyncio.create_task(log.keep_telling())
    for note in settings.notes:
        logger.info("config: %s", note)
    await host.lifecycle.start()
    _spare_the_collector()
    _reload_on_hangup(host)
    place = {
        "event": "host.started",
        "address": host.web.address,
        "state": str(settings.state_dir),
        "pid": os.getpid(),
    }
    logger.info("fnhost listens on %s, its state is in %s", host.web.address, settings.state_dir, extra=place)
    if settings.allow_anonymous:
        logger.warning("callers need no token: whoever reaches this address can deploy and invoke")
    await stop.wait()
    logger.info("stopping: no new events, the running ones finish", extra={"event": "host.stopping"})
    await host.lifecycle.stop()
    telling.cancel()
    logger.info("stopped", extra={"event": "host.stopped"})


def _spare_the_collector() -> None:
    # What the start has made stays for good; looking through it all again costs milliseconds at a time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def _reload_on_hangup(host: Host) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def apply() -> None:
        host.audit.record(HOST, Deed("config.reload", outcome=await host.reloader.apply_quietly()))

    def reload() -> None:
        task = loop.create_task(apply())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)


def _raise_open_files() -> None:
    # Each connection and each instance needs descriptors; the usual soft limit of 1,024 is for select().
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _catch_signals(stop: asyncio.Event) -> None:
    def note(number: int) -> None:
        if stop.is_set():
            # Asked twice: the pools die with us by their parent-death signal.
            os._exit(IMPATIENT)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, note, number)
