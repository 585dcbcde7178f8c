"""Keeps one pool's arbiter and instances as they should be: one tick compares wanted with actual.

Whatever happens (a message, a death, a command) is only noted and wakes the tick; the tick alone acts.
"""

import asyncio
import time
from collections.abc import Callable

from runtime.answers import describe_status
from runtime.arbiter import Arbiter
from runtime.backoff import Backoff
from runtime.boot import BootError, LoadWarning, log_error, read_boot_error
from runtime.dispatch.queue import EventQueue
from runtime.dues import Dues
from runtime.observations import End
from runtime.process import Workshop
from runtime.scaling.decisions import Temperature
from runtime.sharing.tenant import Tenant
from runtime.slot import Slot
from runtime.spec import MIB, PoolSpec
from runtime.worker.box_plan import Report
from runtime.worker.frames import Frame

LONGEST_PAUSE_AFTER_EVENT = 1.0
DUMP_TIME = 0.1
STOP_GRACE = 5.0
LONGEST_TURN = 3.0
STEADY = 30.0
"""Seconds after which an arbiter's death is not taken for one more of those before it."""
FRAME_MARGIN = MIB

_now = time.monotonic


class Supervisor:
    """Keeps `wanted` instances running, and while `warm` an arbiter.

    `on_change` is called whenever something has changed, `on_crowded` when events wait that no instance can
    take now.
    """

    def __init__(
        self,
        spec: PoolSpec,
        workshop: Workshop,
        on_change: Callable[[], None],
        on_crowded: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.wanted = 0
        self.warm = False
        self.slots: dict[int, Slot] = {}
        self.last_error: BootError | None = None
        self.backoff = Backoff()
        self.queue = EventQueue(spec, self.kill_with_stack, on_crowded, workshop.observer)
        self._arbiter = (Tenant if spec.isolation == "subinterpreter" else Arbiter)(spec, workshop, self)
        self._turns = workshop.turns
        self._observer = workshop.observer
        self._booted: float | None = None
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._dues: Dues[Slot] = Dues(self.wake)
        self._woken = False
        self._spawned = 0
        self._stopping = False

    @property
    def hopeless(self) -> bool:
        """Whether starting has failed so often that callers should not wait for it."""
        return self.backoff.hopeless and not self.queue.ready

    @property
    def temperature(self) -> Temperature:
        """What is there: instances, only the arbiter, or no process."""
        if self.instances:
            return "hot"
        return "warm" if self._arbiter.phase in ("booting", "up") else "cold"

    @property
    def instances(self) -> int:
        """How many instances take events, or soon will."""
        return sum(not slot.retired for slot in self.slots.values())

    @property
    def pids(self) -> list[int]:
        """The arbiter's process and those of its instances, as far as they are known."""
        pids = (self._arbiter.pid, *(slot.pid for slot in self.slots.values()))
        # Subinterpreters are all in one process.
        return [pid for pid in dict.fromkeys(pids) if pid]

    @property
    def sharers(self) -> int:
        """How many pools the processes are shared by."""
        return self._arbiter.sharers

    @property
    def walls(self) -> Report:
        """What is known of the box that its processes live in, or lived in last."""
        return self._arbiter.walls

    @property
    def warnings(self) -> tuple[LoadWarning, ...]:
        """What Python warned of while the package was loaded, in the arbiter."""
        return self._arbiter.warnings

    def wake(self) -> None:
        """Have a tick soon; many wakes make one tick."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._tick)

    def want(self, instances: int, warm: bool = True) -> None:
        """Change how many instances there should be, and whether the arbiter stays when there is none."""
        self.wanted, self.warm = instances, warm or instances > 0
        self.wake()

    async def stop(self) -> None:
        """Retire all instances, then end the arbiter; events that still run are given their time."""
        self._stopping = True
        self.wanted = 0
        self._turns.leave(self)
        for slot in list(self.slots.values()):
            self._retire(slot)
        await self._arbiter.stop(lambda: not self.slots)
        self._dues.stop()

    def kill_with_stack(self, slot: Slot, reason: str) -> None:
        """Have an instance write where it is into its log, then kill it."""
        slot.killed_for = slot.killed_for or reason
        self._arbiter.ask_stack(slot)
        self._loop.call_later(DUMP_TIME, slot.kill, reason)

    def kill_instance(self, pid: int, reason: str) -> None:
        """Kill the instance that is this process."""
        for slot in self.slots.values():
            if slot.pid == pid:
                slot.kill(reason)

    # What happens is noted here.

    def slot_ready(self, slot: Slot) -> None:
        """An instance answered the health probe."""
        self._dues.drop(slot)
        self._note_start(slot)
        self.backoff.succeed()
        self.last_error = None
        self.queue.add(slot)
        self.arbiter_changed()

    def _note_start(self, slot: Slot) -> None:
        # The first of an arbiter had to wait for its interpreter and its package as well.
        booted, self._booted = self._booted, None
        since = slot.made if booted is None else booted
        self._observer.started(self.spec, "warm" if booted is None else "cold", _now() - since)

    def slot_answered(self, slot: Slot, frames: list[Frame]) -> None:
        """Answers go straight to the queue."""
        self.queue.answered(slot, frames)
        if slot.retired and not slot.running:
            slot.retire()

    def slot_gone(self, slot: Slot) -> None:
        """An instance has ended, wanted or not."""
        was_ready, was_retiring = slot.answered > 0 or slot in self.queue.ready, slot.retired
        how: End = "killed" if slot.killed_for else "retired" if was_retiring or self._stopping else "died"
        self._observer.stopped(self.spec, how)
        self.queue.gone(slot)
        self.slots.pop(slot.number, None)
        self._dues.drop(slot)
        if not was_retiring and not self._stopping and self._arbiter.phase != "off":
            self._note_death(slot, was_ready)
        self.arbiter_changed()

    def slot_escaped(self, slot: Slot) -> None:
        """Its pid is another's: all that it lives among must end with it."""
        self._arbiter.kill_around(slot)

    def _note_death(self, slot: Slot, was_ready: bool) -> None:
        if was_ready:
            self.backoff.pause(LONGEST_PAUSE_AFTER_EVENT if slot.answered == 0 else 0.0)
            return
        self.backoff.fail()
        self.last_error = log_error(self.spec, self._start_error(slot))

    def _start_error(self, slot: Slot) -> BootError:
        if slot.failure:
            return read_boot_error(slot.failure, self.spec.mask)
        how = slot.killed_for or describe_status(slot.status or 0)
        return BootError(f"an instance did not start: {how}", *self._arbiter.where())

    def arbiter_changed(self) -> None:
        """Something is other than it was."""
        if self._arbiter.phase != "booting":
            self._turns.give_back(self)
        self.wake()
        self._on_change()

    def arbiter_ended(self, how: str, error: BootError | None) -> None:
        """The arbiter has ended, and with it its instances."""
        for slot in list(self.slots.values()):
            slot.killed_for = slot.killed_for or how
            slot.exited(9)
        self.boot_ended(error)

    def boot_ended(self, error: BootError | None) -> None:
        """What was started has ended, or could not be started; `error` counts against the package."""
        self._turns.give_back(self)
        if error is not None and not self._stopping:
            if self._arbiter.lasted >= STEADY:
                self.backoff.succeed()
            self.backoff.fail()
            self.last_error = log_error(self.spec, error)

    def instance_forked(self, number: int, pid: int) -> None:
        """The arbiter has forked an instance."""
        if slot := self.slots.get(number):
            slot.forked(pid)

    def instance_exited(self, number: int, status: int, why: str | None) -> None:
        """The arbiter has reaped an instance, or could not fork it."""
        if slot := self.slots.get(number):
            slot.killed_for = slot.killed_for or why
            slot.exited(status)

    # The tick acts.

    def _tick(self) -> None:
        self._woken = False
        now = _now()
        for slot in self._dues.take(now):
            self._overdue(slot)
        if not self._stopping:
            self._compare(now)
        self._dues.rearm(now, [self.backoff.until] if self.backoff.until > now and self.warm else ())

    def _compare(self, now: float) -> None:
        active = [slot for slot in self.slots.values() if not slot.retired]
        phase = self._arbiter.phase
        if now >= self.backoff.until and phase == "up":
            for _ in range(self.wanted - len(active)):
                self._spawn()
        if phase == "off":
            self._boot_in_turn(now)
        surplus = len(active) - self.wanted
        for slot in sorted(active, key=lambda slot: len(slot.running))[: max(0, surplus)]:
            self._retire(slot)
        if phase == "up" and not self.warm and not self.slots:
            self._arbiter.end()

    def _boot_in_turn(self, now: float) -> None:
        if not self.warm or now < self.backoff.until:
            # Whoever waits behind must not wait for one that has no use for its turn.
            self._turns.leave(self)
        elif self._turns.take(self, self.wake):
            try:
                self._boot()
            finally:
                # What boots for longer than this waits for something else than a processor.
                self._loop.call_later(LONGEST_TURN, self._turns.give_back, self)

    def _boot(self) -> None:
        self.last_error = self.last_error if self.backoff.failures else None
        self._booted = _now()
        try:
            self._arbiter.boot()
        except OSError as error:
            self._turns.give_back(self)
            self._fail_start(f"its interpreter {self.spec.program} cannot be started: {error.strerror}")

    def _spawn(self) -> None:
        self._spawned += 1
        try:
            slot = Slot(self._spawned, self, self.spec.max_result + FRAME_MARGIN)
        except OSError as error:
            self._fail_start(f"no socket for another instance: {error.strerror}")
            return
        self.slots[slot.number] = slot
        self._arbiter.spawn(slot)
        self._dues.set(slot, _now() + self.spec.startup_timeout)

    def _fail_start(self, why: str) -> None:
        self.backoff.fail()
        self.last_error = BootError(why)
        self._loop.call_soon(self._on_change)

    def _retire(self, slot: Slot) -> None:
        if not slot.retired:
            self.queue.withdraw(slot)
            slot.retire()
            self._dues.set(slot, _now() + self.spec.timeout + STOP_GRACE)

    def _overdue(self, slot: Slot) -> None:
        how = "it did not stop in time" if slot.retired else self._arbiter.slow_start()
        if slot.pid:
            self.kill_with_stack(slot, how)
        else:
            # It never greeted, so there is no process to name: the arbiter must be stuck.
            self._arbiter.kill()
