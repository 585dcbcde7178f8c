"""The host's side of one pool's arbiter through all its lives: off, booting, up, ending, off again."""

import asyncio
import itertools
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from runtime.answers import describe_status
from runtime.boot import BootError, LoadWarning, clean, find_place, read_boot_error, read_warnings
from runtime.dues import Dues
from runtime.hearing import ForgedWordError, Hearing
from runtime.process import ArbiterProcess, Workshop
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.worker.box_plan import Report
from runtime.worker.control import Message

PING_EVERY = 10.0
MOST_UNANSWERED = 3
DUMP_TIME = 0.1
END_GRACE = 5.0
MOST_WALLS = 32
LONGEST_WALL = 500
WAIT_STATUS = 0xFFFF
"""All that wait(2) says of a process; whatever else an arbiter tells is cut off."""

Phase = Literal["off", "booting", "up", "ending"]

_now = time.monotonic


class ArbiterOwner(Protocol):
    """What an arbiter tells."""

    def arbiter_changed(self) -> None:
        """Its phase, or what is known of it, is another by now."""

    def arbiter_ended(self, how: str, error: BootError | None) -> None:
        """The process has ended, and with it all its instances; `error` is None when that was meant."""

    def instance_forked(self, number: int, pid: int) -> None:
        """An instance is about to greet, and this is its process."""

    def instance_exited(self, number: int, status: int, why: str | None) -> None:
        """An instance ended, or could not be forked; `status` is as wait(2) gives it."""


class Place(Protocol):
    """What a worker is forked for: a slot of its own, or the channel to a process of subinterpreters."""

    number: int

    def hand_over(self, send: Callable[[tuple[int, ...]], None]) -> None:
        """Give the worker's end of everything away with `send(fds)`, and keep no copy of it."""


class Arbiter:
    """Started by `boot`, ended by `end` or `stop`; pinged while it runs.

    `lasted` is for how many seconds the one before the present one ran; `walls` are those of its box;
    `warnings` came while it loaded the package.
    """

    sharers = 1

    def __init__(self, spec: PoolSpec, workshop: Workshop, owner: ArbiterOwner) -> None:
        self.phase: Phase = "off"
        self.lasted = 0.0
        self.walls: Report = {}
        self.warnings: tuple[LoadWarning, ...] = ()
        self._spec = spec
        self._workshop = workshop
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._process: ArbiterProcess | None = None
        self._preload = spec.preload and spec.threads == 1
        self._excused = False
        self._unanswered = 0
        self._is_liar = False
        self._hearing = Hearing()
        self._booted_at = 0.0
        self._error: BootError | None = None
        self._dues: Dues[str] = Dues(self._tick)

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process is not None else None

    def boot(self) -> None:
        """Start it; raises OSError when its interpreter cannot be started."""
        self._excused = False
        self._unanswered = 0
        self._is_liar = False
        self._error = None
        self._booted_at = _now()
        self._hearing = Hearing()
        self._process = ArbiterProcess(self._spec, self._workshop, self._hear)
        self.phase = "booting"
        self._process.begin(self._preload)
        self._due("boot", self._spec.startup_timeout)
        self._due("ping", PING_EVERY)

    def spawn(self, slot: Place) -> None:
        """Have it fork an instance for a slot."""
        process, command = self._process, {"op": "spawn", "slot": slot.number}
        if process is not None:
            self._hearing.note_spawn(slot.number)
            slot.hand_over(lambda fds: process.send(command, fds))

    def give(self, folder: Path) -> None:
        """Let it write to a folder that was made after it had started. Blocks; raises OSError."""
        if (process := self._process) is not None:
            process.box.give(folder)

    def end(self) -> None:
        """Let it go; it has no instance any more."""
        if self._process is not None:
            self.phase = "ending"
            self._dues.drop("ping")
            self._due("end", END_GRACE)
            self._process.send({"op": "stop"})

    def kill(self) -> None:
        """Kill it with all that it started."""
        if self._process is not None:
            self._process.kill_group()

    def kill_around(self, slot: Slot) -> None:
        """Kill an instance with all that it lives among, where it cannot be killed alone."""
        self._error = BootError(f"it was killed with all its instances: {slot.killed_for}")
        self.kill()

    async def stop(self, all_gone: Callable[[], bool]) -> None:
        """End it for good, once its instances have gone or their time is up."""
        process = self._process
        if process is not None:
            limit = _now() + END_GRACE
            while not (all_gone() or process.ended.done() or _now() >= limit):  # noqa: ASYNC110 - rare and short
                await asyncio.sleep(0.01)
            await process.stop(END_GRACE if self.phase in ("up", "ending") else 0.0)
        self._dues.stop()

    def slow_start(self) -> str:
        """What to say of a start that took too long."""
        return describe_slow_start(self._spec)

    def where(self) -> tuple[str | None, list[str]]:
        """The place in the package, and the stack, that were printed last."""
        return find_where(self._process.recent_lines if self._process is not None else [], self._spec)

    def ask_stack(self, slot: Slot) -> None:
        """Have an instance write into its log where it is."""
        slot.process.signal(signal.SIGUSR1)

    def _due(self, what: str, seconds: float) -> None:
        now = _now()
        self._dues.set(what, now + seconds)
        self._dues.rearm(now)

    def _hear(self, message: Message | None) -> None:
        if message is None:
            self._ended()
        else:
            self._take(message)
        self._owner.arbiter_changed()

    def _take(self, message: Message) -> None:
        if self._is_liar:
            return
        try:
            self._hearing.admit(message)
            getattr(self, f"_hear_{message['op']}")(message)
        except ForgedWordError as error:
            self._disbelieve(str(error))
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
            self._disbelieve(f"it sent what is no message ({type(error).__name__})")

    def _disbelieve(self, why: str) -> None:
        self._is_liar = True
        self._error = self._error or BootError(f"its arbiter was killed: {why}")
        self.kill()

    def _hear_boxed(self, message: Message) -> None:
        process = self._process
        if process is None:
            return
        walls = itertools.islice(message["walls"].items(), MOST_WALLS)
        told = {clean(name)[:LONGEST_WALL]: why and clean(why)[:LONGEST_WALL] for name, why in walls}
        self.walls = {**told, **process.box.report}
        if refusal := process.box.find_refusal(self.walls):
            self._error = BootError(refusal)
            process.kill_group()
        elif surprise := process.box.find_surprise(self.walls):
            self._workshop.say(self._spec.label, surprise)

    def _hear_warned(self, message: Message) -> None:
        self.warnings = read_warnings(message["notes"], self._spec.mask)
        for each in self.warnings:
            if each.made:
                self._workshop.say(self._spec.label, str(each))

    def _hear_booted(self, message: Message) -> None:
        if self.phase == "booting":
            self.phase = "up"
        self._unanswered = 0
        self._dues.drop("boot")

    def _hear_failed(self, message: Message) -> None:
        self._error = read_boot_error(message["error"], self._spec.mask)

    def _hear_unsafe(self, message: Message) -> None:
        self._excused, self._preload = self._preload, False
        reason = clean(message["reason"])[:200]
        self._workshop.say(self._spec.label, f"not preloaded but loaded per instance: {reason}")

    def _hear_pong(self, message: Message) -> None:
        self._unanswered = 0

    def _hear_spawned(self, message: Message) -> None:
        self._owner.instance_forked(message["slot"], int(message["pid"]))

    def _hear_exited(self, message: Message) -> None:
        status = int(message["status"]) & WAIT_STATUS
        why = (
            self._process.box.why_killed() if self._process is not None and status == signal.SIGKILL else None
        )
        self._owner.instance_exited(message["slot"], status, why)

    def _hear_refused(self, message: Message) -> None:
        self._owner.instance_exited(
            message["slot"], 0, f"it could not be forked: {clean(message['reason'])[:200]}"
        )

    def _ended(self) -> None:
        process, phase = self._process, self.phase
        status = process.ended.result() if process is not None else 0
        how = f"its arbiter {describe_status(_wait_status(status))}"
        if process is not None and process.killed_for is not None:
            how = f"its arbiter was killed: {process.killed_for}"
        self.lasted = _now() - self._booted_at
        meant = phase == "ending" or (phase == "booting" and status == 0 and self._excused)
        error = None if meant else self._error or BootError(f"the{how.removeprefix('its')}", *self.where())
        self._process, self.phase = None, "off"
        self._dues.drop("boot", "ping", "end")
        self._owner.arbiter_ended(how, error)

    def _tick(self) -> None:
        now = _now()
        for what in self._dues.take(now):
            self._overdue(what)
        self._dues.rearm(now)

    def _overdue(self, what: str) -> None:
        process = self._process
        if process is None:
            return
        if what == "ping":
            self._ping(process)
        elif what == "end":
            process.kill_group()
        else:
            process.signal(signal.SIGUSR1)
            self._loop.call_later(DUMP_TIME, self._give_up_boot, process)

    def _ping(self, process: ArbiterProcess) -> None:
        # Pings that were sent are counted, not seconds: after a pause of the host all clocks have run on.
        if self._unanswered >= MOST_UNANSWERED:
            self._error = BootError("the arbiter did not answer pings and was killed")
            process.kill_group()
            return
        self._unanswered += self.phase == "up"
        self._hearing.note_ping()
        process.send({"op": "ping"})
        self._dues.set("ping", _now() + PING_EVERY)

    def _give_up_boot(self, process: ArbiterProcess) -> None:
        if self._process is process and self.phase == "booting":
            self._error = BootError(self.slow_start(), *self.where())
            process.kill_group()


def describe_slow_start(spec: PoolSpec) -> str:
    """What to say of a start that took too long."""
    return f"importing the package and running its hooks took more than {spec.startup_timeout:g} s"


def find_where(lines: list[str], spec: PoolSpec) -> tuple[str | None, list[str]]:
    """The place in the package, and its part of the stack, in what its processes printed."""
    package = str(spec.package_dir)
    return find_place(lines, package), [line for line in lines if f'File "{package}/' in line]


def _wait_status(returncode: int) -> int:
    return returncode if returncode < 0 else returncode << 8
