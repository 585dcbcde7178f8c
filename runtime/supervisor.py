"""Keeps one pool's arbiter and instances as they should be: one tick compares wanted with actual.

Whatever happens (a message, a death, a command) is only noted and wakes the tick; the tick alone acts.
"""

import asyncio
import signal
import time
from collections.abc import Callable

from runtime.answers import describe_status
from runtime.backoff import Backoff
from runtime.boot import BootError, clean, find_place, read_boot_error
from runtime.process import ArbiterProcess, Workshop
from runtime.queue import EventQueue
from runtime.slot import Slot
from runtime.spec import MIB, PoolSpec
from runtime.worker.control import Message
from runtime.worker.frames import Frame

LONGEST_PAUSE_AFTER_EVENT = 1.0
PING_EVERY = 10.0
MOST_UNANSWERED = 3
DUMP_TIME = 0.1
STOP_GRACE = 5.0
FRAME_MARGIN = MIB

_now = time.monotonic


class Supervisor:
    """Keeps `wanted` instances running; `on_change` is called whenever something has changed."""

    def __init__(self, spec: PoolSpec, workshop: Workshop, on_change: Callable[[], None]) -> None:
        self.spec = spec
        self.wanted = 0
        self.phase = "off"
        self.slots: dict[int, Slot] = {}
        self.last_error: BootError | None = None
        self.backoff = Backoff()
        self.queue = EventQueue(spec, self.kill_with_stack)
        self._workshop = workshop
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._arbiter: ArbiterProcess | None = None
        self._preload = spec.preload and spec.threads == 1
        self._due: dict[Slot | str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._woken = False
        self._spawned = 0
        self._unanswered = 0
        self._excused = False
        self._stopping = False

    @property
    def hopeless(self) -> bool:
        """Whether starting has failed so often that callers should not wait for it."""
        return self.backoff.hopeless and not self.queue.ready

    def wake(self) -> None:
        """Have a tick soon; many wakes make one tick."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._tick)

    def want(self, instances: int) -> None:
        """Change how many instances there should be."""
        self.wanted = instances
        self.wake()

    async def stop(self) -> None:
        """Retire all instances, then end the arbiter; events that still run are given their time."""
        self._stopping = True
        self.wanted = 0
        for slot in list(self.slots.values()):
            self._retire(slot)
        arbiter = self._arbiter
        if arbiter is not None:
            await self._all_gone(arbiter)
            await arbiter.stop(STOP_GRACE if self.phase == "up" else 0.0)
        if self._timer is not None:
            self._timer.cancel()

    async def _all_gone(self, arbiter: ArbiterProcess) -> None:
        limit = _now() + STOP_GRACE
        while self.slots and not arbiter.ended.done() and _now() < limit:  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.01)

    def kill_with_stack(self, slot: Slot, reason: str) -> None:
        """Have an instance write where it is into its log, then kill it."""
        slot.killed_for = slot.killed_for or reason
        slot.signal(signal.SIGUSR1)
        self._loop.call_later(DUMP_TIME, slot.kill, reason)

    # What happens is noted here.

    def slot_ready(self, slot: Slot) -> None:
        """An instance answered the health probe."""
        self._due.pop(slot, None)
        self.backoff.succeed()
        self.last_error = None
        self.queue.add(slot)
        self.wake()
        self._on_change()

    def slot_answered(self, slot: Slot, frames: list[Frame]) -> None:
        """Answers go straight to the queue."""
        self.queue.answered(slot, frames)

    def slot_gone(self, slot: Slot) -> None:
        """An instance has ended, wanted or not."""
        was_ready, was_retiring = slot.answered > 0 or slot in self.queue.ready, slot.retired
        self.queue.gone(slot)
        self.slots.pop(slot.number, None)
        self._due.pop(slot, None)
        if not was_retiring and not self._stopping and self._arbiter is not None:
            self._note_death(slot, was_ready)
        self.wake()
        self._on_change()

    def _note_death(self, slot: Slot, was_ready: bool) -> None:
        if was_ready:
            self.backoff.pause(LONGEST_PAUSE_AFTER_EVENT if slot.answered == 0 else 0.0)
            return
        self.backoff.fail()
        self.last_error = self._start_error(slot)

    def _start_error(self, slot: Slot) -> BootError:
        if slot.failure:
            return read_boot_error(slot.failure)
        how = slot.killed_for or describe_status(slot.status or 0)
        return BootError(f"an instance did not start: {how}", *self._where())

    def _hear(self, message: Message | None) -> None:
        if message is None:
            self._arbiter_ended()
        else:
            handler = getattr(self, f"_hear_{message.get('op')}", None)
            if handler is not None:
                handler(message)
        self.wake()
        self._on_change()

    def _hear_booted(self, message: Message) -> None:
        self.phase = "up"
        self._unanswered = 0
        self._due.pop("boot", None)

    def _hear_failed(self, message: Message) -> None:
        self.last_error = read_boot_error(message["error"])

    def _hear_unsafe(self, message: Message) -> None:
        self._excused, self._preload = self._preload, False
        reason = clean(message["reason"])[:200]
        self._workshop.say(self.spec.label, f"not preloaded but loaded per instance: {reason}")

    def _hear_pong(self, message: Message) -> None:
        self._unanswered = 0

    def _hear_exited(self, message: Message) -> None:
        if slot := self.slots.get(message["slot"]):
            slot.exited(int(message["status"]))

    def _hear_refused(self, message: Message) -> None:
        if slot := self.slots.get(message["slot"]):
            slot.killed_for = f"it could not be forked: {message['reason']}"
            slot.exited(0)

    def _arbiter_ended(self) -> None:
        arbiter, self._arbiter = self._arbiter, None
        booting, self.phase = self.phase == "booting", "off"
        self._due.pop("boot", None)
        self._due.pop("ping", None)
        status = arbiter.ended.result() if arbiter is not None else 0
        for slot in list(self.slots.values()):
            slot.killed_for = slot.killed_for or f"its arbiter {describe_status(_wait_status(status))}"
            slot.exited(9)
        if self._stopping or (booting and status == 0 and self._excused):
            return
        self.backoff.fail()
        if self.last_error is None:
            self.last_error = BootError(
                f"the arbiter {describe_status(_wait_status(status))}", *self._where(arbiter)
            )

    # The tick acts.

    def _tick(self) -> None:
        self._woken = False
        now = _now()
        for key in [key for key, due in self._due.items() if due <= now]:
            self._overdue(key)
        if not self._stopping:
            self._compare(now)
        self._rearm(now)

    def _compare(self, now: float) -> None:
        active = [slot for slot in self.slots.values() if not slot.retired]
        if now >= self.backoff.until:
            if self.phase == "off" and self.wanted:
                self._boot()
            elif self.phase == "up":
                for _ in range(self.wanted - len(active)):
                    self._spawn()
        surplus = len(active) - self.wanted
        for slot in sorted(active, key=lambda slot: len(slot.running))[: max(0, surplus)]:
            self._retire(slot)

    def _boot(self) -> None:
        self.phase = "booting"
        self._excused = False
        self._unanswered = 0
        self.last_error = self.last_error if self.backoff.failures else None
        try:
            self._arbiter = ArbiterProcess(self.spec, self._workshop, self._hear)
        except OSError as error:
            self._fail_start(f"its interpreter {self.spec.python} cannot be started: {error.strerror}")
            return
        self._arbiter.begin(self._preload)
        self._due["boot"] = _now() + self.spec.startup_timeout
        self._due["ping"] = _now() + PING_EVERY

    def _spawn(self) -> None:
        if self._arbiter is None:
            return
        self._spawned += 1
        try:
            slot = Slot(self._spawned, self, self.spec.max_result + FRAME_MARGIN)
        except OSError as error:
            self._fail_start(f"no socket for another instance: {error.strerror}")
            return
        self.slots[slot.number] = slot
        arbiter, command = self._arbiter, {"op": "spawn", "slot": slot.number}
        slot.hand_over(lambda fds: arbiter.send(command, fds))
        self._due[slot] = _now() + self.spec.startup_timeout

    def _fail_start(self, why: str) -> None:
        self.phase = "up" if self._arbiter is not None else "off"
        self.backoff.fail()
        self.last_error = BootError(why)
        self._loop.call_soon(self._on_change)

    def _retire(self, slot: Slot) -> None:
        if not slot.retired:
            self.queue.withdraw(slot)
            slot.retire()
            self._due[slot] = _now() + self.spec.timeout + STOP_GRACE

    def _overdue(self, key: Slot | str) -> None:
        del self._due[key]
        if isinstance(key, Slot):
            how = "it did not stop in time" if key.retired else self._slow_start()
            if key.pid:
                self.kill_with_stack(key, how)
            elif self._arbiter is not None:
                # It never greeted, so there is no process to name: the arbiter must be stuck.
                self._arbiter.kill_group()
        elif key == "boot" and self._arbiter is not None:
            self._arbiter.signal(signal.SIGUSR1)
            self._loop.call_later(DUMP_TIME, self._give_up_boot, self._arbiter)
        elif key == "ping" and self._arbiter is not None:
            self._ping(self._arbiter)

    def _ping(self, arbiter: ArbiterProcess) -> None:
        # Pings that were sent are counted, not seconds: after a pause of the host all clocks have run on.
        if self._unanswered >= MOST_UNANSWERED:
            self.last_error = BootError("the arbiter did not answer pings and was killed")
            arbiter.kill_group()
            return
        self._unanswered += self.phase == "up"
        arbiter.send({"op": "ping"})
        self._due["ping"] = _now() + PING_EVERY

    def _give_up_boot(self, arbiter: ArbiterProcess) -> None:
        if self._arbiter is arbiter and self.phase == "booting":
            self.last_error = BootError(self._slow_start(), *self._where(arbiter))
            arbiter.kill_group()

    def _slow_start(self) -> str:
        return f"importing the package and running its hooks took more than {self.spec.startup_timeout:g} s"

    def _where(self, arbiter: ArbiterProcess | None = None) -> tuple[str | None, list[str]]:
        arbiter = arbiter or self._arbiter
        lines = arbiter.recent_lines if arbiter is not None else []
        package = str(self.spec.package_dir)
        return find_place(lines, package), [line for line in lines if f'File "{package}/' in line]

    def _rearm(self, now: float) -> None:
        # The tick's own clock: what it saw as not yet due must be seen so here, or it would be forgotten.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dues = list(self._due.values())
        if self.backoff.until > now and self.wanted:
            dues.append(self.backoff.until)
        if dues:
            self._timer = self._loop.call_later(max(0.001, min(dues) - now), self.wake)


def _wait_status(returncode: int) -> int:
    return returncode if returncode < 0 else returncode << 8
