"""One process of subinterpreters: its arbiter, its worker, and the slots of all functions that are in it."""

import asyncio
from dataclasses import dataclass, replace
from functools import reduce
from typing import Protocol

from runtime.answers import describe_status
from runtime.arbiter import Arbiter
from runtime.boot import BootError
from runtime.loglines import LogLine
from runtime.process import Workshop, make_environment, setup_message
from runtime.sharing.register import MOST_OPENED, Register
from runtime.sharing.worker_channel import Tell, WorkerChannel
from runtime.slot import EXIT_GRACE, Slot
from runtime.spec import PoolSpec
from runtime.worker.box_plan import Report
from runtime.worker.control import Message

START_FAILED = 3 << 8
WORN_AFTER = 32
"""Subinterpreters that may end in one process: each leaves some 3.4 MB behind (measured, Python 3.13.0)."""


class Member(Protocol):
    """A function's pool that has slots in the process, or wants to."""

    spec: PoolSpec

    def process_changed(self) -> None:
        """It is up, or takes no more slots."""

    def slot_exited(self, slot: Slot, status: int) -> None:
        """One of its subinterpreters has ended; `status` is as wait(2) gives it."""

    def process_ended(self, process: "SharedProcess", ending: "Ending") -> None:
        """It has ended, and with it all its slots."""


@dataclass(frozen=True)
class Ending:
    """How a process ended, as one of its members is told; `status` is as wait(2) gives it.

    `why` says whose fault it was, where that was another's; `error` why it never came up.
    """

    status: int
    is_at_fault: bool
    why: str | None
    error: BootError | None


@dataclass(frozen=True)
class Place:
    """A slot and whose it is."""

    member: Member
    slot: Slot

    @property
    def is_suspect(self) -> bool:
        """Whether package code of it may have been running."""
        slot = self.slot
        begins_or_ends = slot.retired or not slot.was_ready
        return begins_or_ends or any(map(slot.has_begun, slot.running.values()))


class SharedProcess:
    """It ends when the last member has left it and its last slot has ended; `is_closed` to further slots."""

    def __init__(self, spec: PoolSpec, workshop: Workshop) -> None:
        self.members: set[Member] = set()
        self._workshop = workshop
        self._register: Register = workshop.shared
        self._loop = asyncio.get_running_loop()
        self._arbiter = Arbiter(spec, replace(workshop, log=self._say), self)
        self._channel = WorkerChannel(self._hear)
        self._places: dict[int, Place] = {}
        self._opened = 0
        self._exited = 0
        self._forked = False
        self._worker = 0
        self.is_closed = False
        try:
            self._arbiter.boot()
        except OSError:
            self._channel.close()
            raise

    @property
    def is_up(self) -> bool:
        """Whether it has come up."""
        return self._forked

    @property
    def pid(self) -> int | None:
        """The arbiter's process."""
        return self._arbiter.pid

    @property
    def walls(self) -> Report:
        """Those of its box."""
        return self._arbiter.walls

    def leave(self, member: Member) -> None:
        """It wants no more slots here."""
        self.members.discard(member)
        self._end_if_empty()

    def open(self, member: Member, slot: Slot, log_fd: int) -> None:
        """Have a subinterpreter made for a slot of a member; `log_fd` leads to its log."""
        self._opened += 1
        number = self._opened
        self._places[number] = Place(member, slot)
        slot.forked(self._worker)
        # In a thread: what an earlier user of the function's has left there changes hands.
        giving = self._loop.run_in_executor(None, self._arbiter.give, member.spec.output_dir)
        giving.add_done_callback(lambda done: self._send_open(number, slot, log_fd, done))
        if self._opened >= MOST_OPENED:
            self._loop.call_soon(self._close)

    def _send_open(self, number: int, slot: Slot, log_fd: int, given: "asyncio.Future[None]") -> None:
        place = self._places.get(number)
        if place is None or given.cancelled():
            # It is sent to nobody, so that what goes with it is let go of.
            slot.hand_over(lambda fds: None)
            return
        spec = place.member.spec
        if error := given.exception():
            self._workshop.say(spec.label, f"it cannot write to {spec.output_dir}: {error}")
        message = {
            "op": "open",
            "slot": number,
            "setup": {**setup_message(spec, self._workshop), "preload": False},
            "environ": {**make_environment(spec, self._workshop.owner, spec.output_dir), **spec.env},
        }

        def tell(send: Tell, fds: tuple[int, ...]) -> None:
            self._tell_or_refuse(number, send, message, (*fds, log_fd))

        self._channel.ask(lambda send: slot.hand_over(lambda fds: tell(send, fds)))

    def _tell_or_refuse(self, number: int, send: Tell, message: Message, fds: tuple[int, ...]) -> None:
        try:
            send(message, fds)
        except ValueError as error:
            # More is to be told than goes into a message.
            if place := self._places.pop(number, None):
                place.slot.failure = {"type": "LoadError", "message": str(error)}
                self._loop.call_soon(self._take_out, place, START_FAILED)

    def ask_stack(self, slot: Slot) -> None:
        """Have the thread of a slot write into its log where it is."""
        number = next((number for number, place in self._places.items() if place.slot is slot), 0)
        self._channel.ask(lambda send: send({"op": "dump", "slot": number}, ()))

    def kill(self) -> None:
        """Kill it with all that is in it."""
        self._arbiter.kill()

    async def stop(self) -> None:
        """Return when it has ended, unless functions are left in it."""
        if not self.members and not self._places:
            await self._arbiter.stop(lambda: True)

    # What its arbiter tells.

    def arbiter_changed(self) -> None:
        """When it is up, it forks the worker."""
        if self._arbiter.phase == "up" and not self._forked:
            self._forked = True
            self._arbiter.spawn(self._channel)
            for member in list(self.members):
                member.process_changed()

    def arbiter_ended(self, how: str, error: BootError | None) -> None:
        """Nothing of it is left."""
        self._finish(9, how, how, None if self._forked else error)

    def instance_forked(self, number: int, pid: int) -> None:
        """The worker is the process of all slots."""
        self._worker = pid
        for place in list(self._places.values()):
            place.slot.forked(pid)

    def instance_exited(self, number: int, status: int, why: str | None) -> None:
        """The worker is dead, and the arbiter has nothing more to do."""
        self._finish(status, why, why or describe_status(status), None)
        self._arbiter.end()

    def _finish(self, status: int, why: str | None, how: str, error: BootError | None) -> None:
        """Tell every member once; `why` says more than the status, where more is known."""
        self._register.close(self)
        self.is_closed = True
        self._channel.close()
        places, self._places = list(self._places.values()), {}
        members, self.members = self.members | {place.member for place in places}, set()
        fault = find_fault(places)
        blamed = {place.member for place in fault}
        told = next((place.slot.killed_for for place in fault if place.slot.killed_for), how)
        others = f"it shared its process with {_name(blamed)}: {told}" if blamed else why
        for member in members:
            is_own = member in blamed
            member.process_ended(self, Ending(status, is_own, why if is_own else others, error))

    def _hear(self, message: Message | None) -> None:
        if message is None:
            self._loop.call_later(EXIT_GRACE, self._kill_undead)
            return
        try:
            number, status = int(message["slot"]), int(message["status"])
        except (KeyError, TypeError, ValueError, OverflowError):
            # The process is not trusted, and what it says may be anything.
            self.kill()
            return
        if place := self._places.pop(number, None):
            self._take_out(place, status)

    def _kill_undead(self) -> None:
        if self._channel.is_open:
            self.kill()

    def _take_out(self, place: Place, status: int) -> None:
        self._exited += 1
        place.member.slot_exited(place.slot, status)
        if self._exited >= WORN_AFTER:
            self._close()
        self._end_if_empty()

    def _close(self) -> None:
        """Members look for another one; their slots stay."""
        self._register.close(self)
        self.is_closed = True
        for member in list(self.members):
            self.members.discard(member)
            member.process_changed()
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        if not self.members and not self._places and self._channel.is_open:
            self.is_closed = True
            self._register.close(self)
            self._channel.close()
            self._arbiter.end()

    def _say(self, line: LogLine) -> None:
        """What was printed below Python may be anybody's, and so may be the secrets in it."""
        members = self.members | {place.member for place in self._places.values()}
        text = reduce(lambda text, member: member.spec.mask(text), members, line.line)
        for member in members:
            self._workshop.log(replace(line, line=text, revision=member.spec.label))


def find_fault(places: list[Place]) -> list[Place]:
    """Who may have ended a process: those killed for something, else all whose code was running."""
    killed = [place for place in places if place.slot.killed_for]
    return killed or [place for place in places if place.is_suspect]


def _name(members: set[Member]) -> str:
    return ", ".join(sorted(member.spec.label for member in members))
