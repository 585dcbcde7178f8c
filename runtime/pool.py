"""All that runs one revision, as the dispatcher and the host see it."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.boot import BootError, LoadWarning
from runtime.boxes.box import say_out_of_memory, standing_walls
from runtime.events import Answer, Event, UnavailableError
from runtime.process import Workshop
from runtime.scaling.decisions import Decision, Measurement, Temperature
from runtime.scaling.memory import Usage
from runtime.scaling.scaler import Scaler
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.supervisor import Supervisor
from runtime.worker.box_plan import Report


@dataclass(frozen=True)
class InstanceView:
    """One instance; `since` is seconds since the epoch, `answered` counts events."""

    slot: int
    pid: int
    state: str
    since: float
    answered: int = 0


@dataclass(frozen=True)
class PoolView:
    """A pool at one moment; `oldest` is for how many seconds the oldest event has been waiting."""

    state: str
    instances: list[InstanceView]
    wanted: int
    queued: int
    in_flight: int
    ok: int
    failed: int
    last_error: str | None
    temperature: Temperature = "cold"
    oldest: float = 0.0


Load = tuple[int, int, int]
"""Events that wait, events that run, instances of any state."""

CGROUP = "cgroup-memory"
CROWD_EVERY = 0.1
LIST_WITHIN = 2.0
COLD = PoolView("cold", [], 0, 0, 0, 0, 0, None)


class Pool:
    """Cold until it is started or the first event comes; from then on as large as the scaler decides.

    `fixed` is a number of instances told by a person, None for as many as are needed. A pool that was never
    used costs a few hundred bytes.
    """

    def __init__(self, spec: PoolSpec, workshop: Workshop, scaler: Scaler, fixed: int | None = None) -> None:
        self.spec = spec
        self.fixed = fixed
        self._workshop = workshop
        self._scaler = scaler
        self._changed: asyncio.Event | None = None
        self._crowd_told = 0.0
        self._stopped = False
        self._supervisor: Supervisor | None = None

    @property
    def label(self) -> str:
        """`industry@3`."""
        return self.spec.label

    @property
    def is_asleep(self) -> bool:
        """Whether it has no process and no event."""
        supervisor = self._supervisor
        return supervisor is None or not (
            supervisor.pids or len(supervisor.queue) or supervisor.queue.in_flight
        )

    @property
    def load(self) -> Load:
        """What it has to do; cheap, for it is asked for each second."""
        supervisor = self._supervisor
        if supervisor is None:
            return (0, 0, 0)
        return len(supervisor.queue), supervisor.queue.in_flight, len(supervisor.slots)

    @property
    def is_kept_hot(self) -> bool:
        """Whether it has instances also while no event comes."""
        return self._least > 0

    @property
    def _least(self) -> int:
        return self.spec.scale.min if self.fixed is None else self.fixed

    def submit(self, event: Event) -> "asyncio.Future[Answer]":
        """Hand an event to an instance, or to the queue; raises QueueFullError and UnavailableError."""
        supervisor = self._supervisor or self._open()
        if not supervisor.queue.ready:
            if self._stopped:
                raise UnavailableError(f"{self.spec.label} is stopping")
            if supervisor.hopeless and (supervisor.backoff.seconds or len(supervisor.queue)):
                # One event at a time is let in as a trial, or a function that could start by now never would.
                raise self._unavailable(supervisor)
        return supervisor.queue.submit(event)

    def _open(self) -> Supervisor:
        if self._supervisor is None:
            self._supervisor = Supervisor(self.spec, self._workshop, self._note_change, self._note_crowd)
        return self._supervisor

    def _note_crowd(self) -> None:
        supervisor, now = self._open(), time.monotonic()
        most = self.spec.scale.max if self.fixed is None else self.fixed
        # At full size nothing is to be done at once; that it was needed must be known all the same.
        if supervisor.instances < max(1, most) or now >= self._crowd_told:
            self._crowd_told = now + CROWD_EVERY
            self._look()

    def _look(self) -> None:
        if not self._stopped:
            self._scaler.activate(self)

    def _unavailable(self, supervisor: Supervisor) -> UnavailableError:
        error = UnavailableError(f"{self.spec.label} cannot start: {supervisor.last_error}")
        error.retry_after = max(1.0, supervisor.backoff.seconds)
        return error

    async def start(self) -> None:
        """Return when an instance has answered the health probe; raises BootError at the first failure."""
        supervisor = self._open()
        changed = self._changed = asyncio.Event()
        supervisor.want(max(1, self._least))
        while not supervisor.queue.ready:
            if self._stopped:
                raise BootError(f"{self.spec.label} was stopped while it started")
            changed.clear()
            await changed.wait()
            error = supervisor.last_error
            if error is not None and supervisor.backoff.failures:
                raise error
        self._look()

    async def list_imported(self) -> frozenset[str]:
        """The files of installed libraries that an instance says it has imported; none if it is silent."""
        supervisor = self._open()
        for slot in list(supervisor.queue.ready)[:1]:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(slot.ask_imported()), LIST_WITHIN)
        return frozenset()

    def begin(self) -> None:
        """From now on it is as large as the scaler decides, also before the first event."""
        self._look()

    def scale(self, instances: int | None) -> None:
        """Run this many instances from now on; None: as many as are needed."""
        self.fixed = instances
        self._look()

    def measure(self) -> Measurement:
        """What the autoscaler decides by."""
        now, supervisor = time.monotonic(), self._supervisor
        if supervisor is None:
            return Measurement(now, 0, 0, 0, 0, None, 0, "cold", 0.0, self.fixed)
        queue = supervisor.queue
        queue.forget_cancelled()
        return Measurement(
            now=now,
            arrived=queue.arrived,
            waiting=len(queue),
            running=queue.in_flight,
            busy=queue.busy,
            service_time=queue.outcomes.service.seconds,
            instances=supervisor.instances,
            ready=len(queue.ready),
            temperature=supervisor.temperature,
            last_used=queue.latest,
            fixed=self.fixed,
            failing=supervisor.backoff.failures > 0,
        )

    def apply(self, decision: Decision) -> None:
        """Become what was decided."""
        if self._stopped or (self._supervisor is None and decision.temperature == "cold"):
            return
        self._open().want(decision.wanted, warm=decision.temperature != "cold")

    @property
    def warnings(self) -> tuple[LoadWarning, ...]:
        """What Python warned of while the arbiter loaded the package; what instances load does not count."""
        return self._supervisor.warnings if self._supervisor else ()

    def pids(self) -> list[int]:
        """The processes of the arbiter and the instances."""
        return self._supervisor.pids if self._supervisor else []

    def weigh(self, usage: Mapping[int, Usage]) -> None:
        """End the largest instance where the pool takes more than it may, and no cgroup sees to that."""
        most, supervisor = self.spec.memory, self._supervisor
        if most is None or supervisor is None or CGROUP in standing_walls(self.walls):
            return
        sizes = {pid: usage[pid].private for pid in supervisor.pids[1:] if pid in usage}
        if sizes and sum(each.pss for each in usage.values()) > most:
            supervisor.kill_instance(max(sizes, key=lambda pid: sizes[pid]), say_out_of_memory(most))

    @property
    def walls(self) -> Report:
        """What is known of the box that its processes live in, or lived in last; empty before the first."""
        return self._supervisor.walls if self._supervisor else {}

    @property
    def sharers(self) -> int:
        """How many pools its processes are shared by."""
        return self._supervisor.sharers if self._supervisor else 1

    async def drain(self, limit: float) -> None:
        """Work off what waits and runs, for `limit` seconds at most, then stop."""
        if self._supervisor is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._supervisor.queue.drained(), limit)
        await self.stop()

    async def stop(self) -> None:
        """End at once for events that wait, and gently for those that run."""
        self._stopped = True
        self._scaler.forget(self)
        if self._changed is not None:
            self._changed.set()
        if self._supervisor is not None:
            queue = self._supervisor.queue
            queue.close(UnavailableError(f"{self.spec.label} is stopping"))
            await self._supervisor.stop()

    def view(self) -> PoolView:
        """The pool as it is now."""
        supervisor = self._supervisor
        if supervisor is None:
            return COLD
        error = supervisor.last_error
        return PoolView(
            state=self._state(supervisor),
            instances=[_view_slot(slot) for slot in supervisor.slots.values()],
            wanted=supervisor.wanted,
            queued=len(supervisor.queue),
            in_flight=supervisor.queue.in_flight,
            ok=supervisor.queue.outcomes.ok,
            failed=supervisor.queue.outcomes.failed,
            last_error=f"{error.place}: {error}" if error and error.place else str(error) if error else None,
            temperature=supervisor.temperature,
            oldest=supervisor.queue.oldest,
        )

    def _state(self, supervisor: Supervisor) -> str:
        if self._stopped:
            return "stopping"
        if supervisor.queue.ready:
            return "ready"
        if supervisor.backoff.failures:
            return "failing"
        return "starting" if supervisor.wanted else supervisor.temperature

    def _note_change(self) -> None:
        if self._changed is not None:
            self._changed.set()
        supervisor = self._supervisor
        if supervisor is None:
            return
        if supervisor.hopeless and supervisor.backoff.seconds:
            supervisor.queue.fail_waiting(self._unavailable(supervisor))
        elif len(supervisor.queue):
            self._look()


def _view_slot(slot: Slot) -> InstanceView:
    state = ("busy" if slot.running else "idle") if slot.state == "ready" else slot.state
    return InstanceView(slot.number, slot.pid, state, slot.since, slot.answered)
