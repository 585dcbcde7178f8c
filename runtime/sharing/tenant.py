"""One pool's hold on the processes of subinterpreters, which looks to it like an arbiter of its own."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from runtime.answers import describe_status
from runtime.arbiter import END_GRACE, ArbiterOwner, Phase, describe_slow_start, find_where
from runtime.boot import BootError, LoadWarning
from runtime.loglines import LogReader
from runtime.process import Workshop
from runtime.sharing.fitness import find_misfit
from runtime.sharing.register import Likeness
from runtime.sharing.shared_process import Ending, SharedProcess
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.worker.box_plan import Report

_now = time.monotonic


class TenantOwner(ArbiterOwner, Protocol):
    """What a tenant tells."""

    def boot_ended(self, error: BootError | None) -> None:
        """A process has ended, slots in others live on; `error` is what the package did wrong."""


class Tenant:
    """Its phases are those of an arbiter: up while the process takes slots; each slot stays where it began.

    A function that has brought its process down has one of its own from then on. Its slots load the package
    each for itself, and what Python warns of there is in their log only.
    """

    def __init__(self, spec: PoolSpec, workshop: Workshop, owner: TenantOwner) -> None:
        self.spec = spec
        self.lasted = 0.0
        self.warnings: tuple[LoadWarning, ...] = ()
        self._workshop = workshop
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._home: SharedProcess | None = None
        self._slots: dict[Slot, SharedProcess] = {}
        self._known: set[SharedProcess] = set()
        self._log: LogReader | None = None
        self._log_end = contextlib.ExitStack()
        self._log_fd = -1
        self._joined_at = 0.0
        self._apart = ""

    @property
    def phase(self) -> Phase:
        """Off, booting or up; a process that is no more, or takes no more slots, is as good as none."""
        if self._home is None:
            return "off"
        return "up" if self._home.is_up else "booting"

    @property
    def walls(self) -> Report:
        """Those of the process's box."""
        return self._home.walls if self._home is not None else {}

    @property
    def pid(self) -> int | None:
        """The process that forks the one with the subinterpreters."""
        return self._home.pid if self._home is not None else None

    @property
    def sharers(self) -> int:
        """How many functions there are in the process."""
        return max(1, len(self._home.members)) if self._home is not None else 1

    def boot(self) -> None:
        """Join a process, or start one; raises OSError when it cannot be started."""
        self._joined_at = _now()
        if misfit := find_misfit(self.spec):
            self._loop.call_soon(self._refuse, BootError(misfit))
            return
        self._open_log()
        self._home = self._find_home()
        self._home.members.add(self)
        self._known = {each for each in self._known if each in self._slots.values()} | {self._home}
        if self._home.is_up:
            self._loop.call_soon(self._owner.arbiter_changed)

    def _refuse(self, error: BootError) -> None:
        self._owner.boot_ended(error)
        self._owner.arbiter_changed()

    def _open_log(self) -> None:
        if self._log is None:
            self._log = LogReader(self.spec, self._workshop.log)
            self._log_fd = self._log_end.enter_context(self._log.writing_end())

    def _close_log(self) -> None:
        if self._log is not None:
            self._log_end.close()
            self._log.close()
            self._log = None

    def _find_home(self) -> SharedProcess:
        register = self._workshop.shared
        spec = self.spec
        likeness = Likeness(spec.program.resolve(), spec.network, spec.reads, spec.writes, self._apart)
        if likeness not in register.open:
            register.open[likeness] = SharedProcess(register.next_spec(likeness), self._workshop)
        return register.open[likeness]

    def spawn(self, slot: Slot) -> None:
        """Have a subinterpreter made for a slot."""
        if self._home is not None:
            self._slots[slot] = self._home
            self._home.open(self, slot, self._log_fd)

    def ask_stack(self, slot: Slot) -> None:
        """Have an instance write into its log where it is."""
        if slot in self._slots:
            self._slots[slot].ask_stack(slot)

    def end(self) -> None:
        """Leave; it has no slot any more."""
        self._leave()
        self._close_log()
        self._loop.call_soon(self._owner.arbiter_changed)

    def kill(self) -> None:
        """Kill the process, with all that is in it."""
        if self._home is not None:
            self._home.kill()

    def kill_around(self, slot: Slot) -> None:
        """Kill the process that a slot is in, with all that is in it."""
        if slot in self._slots:
            self._slots[slot].kill()

    async def stop(self, all_gone: Callable[[], bool]) -> None:
        """Leave for good, once its slots have gone or their time is up."""
        limit = _now() + END_GRACE
        while not (all_gone() or _now() >= limit):  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.01)
        for slot, process in self._slots.items():
            slot.killed_for = slot.killed_for or "it did not stop in time"
            process.kill()
        limit = _now() + END_GRACE
        while self._slots and _now() < limit:  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.01)
        self._leave()
        for process in self._known:
            await process.stop()
        self._close_log()

    def _leave(self) -> None:
        if self._home is not None:
            home, self._home = self._home, None
            self.lasted = _now() - self._joined_at
            home.leave(self)

    def slow_start(self) -> str:
        """What to say of a start that took too long."""
        return describe_slow_start(self.spec)

    def where(self) -> tuple[str | None, list[str]]:
        """The place in the package, and the stack, that were printed last."""
        return find_where(list(self._log.recent) if self._log is not None else [], self.spec)

    # What the processes tell.

    def process_changed(self) -> None:
        """It is up, or takes no more slots."""
        if self._home is not None and self._home.is_closed:
            self._leave()
        self._owner.arbiter_changed()

    def slot_exited(self, slot: Slot, status: int) -> None:
        """A subinterpreter has ended."""
        self._slots.pop(slot, None)
        self._owner.instance_exited(slot.number, status, None)

    def process_ended(self, process: SharedProcess, ending: Ending) -> None:
        """A process has ended, and with it all that was in it."""
        gone = [slot for slot, where in self._slots.items() if where is process]
        if process is self._home:
            self._home = None
            self.lasted = _now() - self._joined_at
        if ending.is_at_fault:
            self._apart = self.spec.label
        for slot in gone:
            del self._slots[slot]
            self._owner.instance_exited(slot.number, ending.status, ending.why)
        self._owner.boot_ended(ending.error or self._start_error(gone, ending))
        self._owner.arbiter_changed()

    def _start_error(self, gone: list[Slot], ending: Ending) -> BootError | None:
        """Those that were starting and are not at fault are no failure of the package."""
        failed = [slot for slot in gone if not (slot.was_ready or slot.retired)]
        if not (failed and ending.is_at_fault):
            return None
        how = failed[0].killed_for or describe_status(ending.status)
        return BootError(f"an instance did not start: {how}", *self.where())
