"""All that runs one revision, as the dispatcher and the host see it."""

import asyncio
import contextlib
from dataclasses import dataclass

from runtime.boot import BootError
from runtime.events import Answer, Event, UnavailableError
from runtime.process import Workshop
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.supervisor import Supervisor


@dataclass(frozen=True)
class InstanceView:
    """One instance; `since` is seconds since the epoch."""

    slot: int
    pid: int
    state: str
    since: float


@dataclass(frozen=True)
class PoolView:
    """A pool at one moment."""

    state: str
    instances: list[InstanceView]
    wanted: int
    queued: int
    in_flight: int
    ok: int
    failed: int
    last_error: str | None
    temperature: str = "cold"


class Pool:
    """Cold until it is started or the first event comes; then it keeps itself running until it is stopped."""

    def __init__(self, spec: PoolSpec, workshop: Workshop, instances: int) -> None:
        self.spec = spec
        self.instances = instances
        self._changed = asyncio.Event()
        self._stopped = False
        self._supervisor = Supervisor(spec, workshop, self._note_change)
        self._queue = self._supervisor.queue

    def submit(self, event: Event) -> "asyncio.Future[Answer]":
        """Hand an event to an instance, or to the queue; raises QueueFullError and UnavailableError."""
        if not self._queue.ready:
            self._wake_up()
        return self._queue.submit(event)

    def _wake_up(self) -> None:
        if self._stopped:
            raise UnavailableError(f"{self.spec.label} is stopping")
        if self._supervisor.hopeless:
            raise self._unavailable()
        if not self._supervisor.wanted:
            self._supervisor.want(max(1, self.instances))

    def _unavailable(self) -> UnavailableError:
        error = UnavailableError(f"{self.spec.label} cannot start: {self._supervisor.last_error}")
        error.retry_after = max(1.0, self._supervisor.backoff.seconds)
        return error

    async def start(self) -> None:
        """Return when an instance has answered the health probe; raises BootError at the first failure."""
        self._supervisor.want(max(1, self.instances))
        while not self._queue.ready:
            if self._stopped:
                raise BootError(f"{self.spec.label} was stopped while it started")
            self._changed.clear()
            await self._changed.wait()
            error = self._supervisor.last_error
            if error is not None and self._supervisor.backoff.failures:
                raise error

    def begin(self) -> None:
        """Start in the background, as far as instances are wanted at all."""
        self._supervisor.want(self.instances)
        self._note_change()

    def scale(self, instances: int | None) -> None:
        """Run this many instances from now on; None: as many as its scale rule says."""
        self.instances = self.spec.scale.min if instances is None else instances
        self._supervisor.want(self.instances)
        self._note_change()

    async def drain(self, limit: float) -> None:
        """Work off what waits and runs, for `limit` seconds at most, then stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.drained(), limit)
        await self.stop()

    async def stop(self) -> None:
        """End at once for events that wait, and gently for those that run."""
        self._stopped = True
        self._changed.set()
        self._queue.fail_waiting(UnavailableError(f"{self.spec.label} is stopping"))
        await self._supervisor.stop()
        # What came back from instances that died meanwhile.
        self._queue.fail_waiting(UnavailableError(f"{self.spec.label} is stopping"))

    @property
    def ready(self) -> bool:
        """Whether an instance can take an event now."""
        return bool(self._queue.ready)

    @property
    def last_error(self) -> BootError | None:
        """Why it cannot start, if so."""
        return self._supervisor.last_error

    def view(self) -> PoolView:
        """The pool as it is now."""
        supervisor = self._supervisor
        error = supervisor.last_error
        return PoolView(
            state=self._state(),
            instances=[_view_slot(slot) for slot in supervisor.slots.values()],
            wanted=supervisor.wanted,
            queued=len(self._queue),
            in_flight=self._queue.in_flight,
            ok=self._queue.ok,
            failed=self._queue.failed,
            last_error=f"{error.place}: {error}" if error and error.place else str(error) if error else None,
            temperature=self._temperature(),
        )

    def _state(self) -> str:
        if self._stopped:
            return "stopping"
        if self._queue.ready:
            return "ready"
        if self._supervisor.backoff.failures:
            return "failing"
        return "starting" if self._supervisor.wanted else "cold"

    def _temperature(self) -> str:
        if self._supervisor.slots:
            return "hot"
        return "warm" if self._supervisor.phase == "up" else "cold"

    def _note_change(self) -> None:
        self._changed.set()
        if self._supervisor.hopeless:
            self._queue.fail_waiting(self._unavailable())
        elif len(self._queue) and not self._supervisor.wanted and not self._stopped:
            # Scaled to nothing while events wait: one instance works them off.
            self._supervisor.want(1)


def _view_slot(slot: Slot) -> InstanceView:
    state = ("busy" if slot.running else "idle") if slot.state == "ready" else slot.state
    return InstanceView(slot.number, slot.pid, state, slot.since)
