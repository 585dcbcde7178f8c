"""System calls that a boxed process may not make: two programs for the kernel's seccomp (seccomp(2)).

The kernel remembers which calls a program lets pass whatever their arguments (since Linux 5.11), and runs it
only for the others; so the many that a function makes all the time cost little, whatever the length.
"""

import ctypes
import errno
import struct
from collections.abc import Sequence
from typing import NamedTuple

from .kernel import syscall
from .syscalls import DENIED, NEWEST, Machine, number_of, this_machine

SECCOMP_SET_MODE_FILTER = 1
# Without it kernels before 5.16 slow a process down against reading its own memory by speculation.
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4

ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

# linux/bpf_common.h: what an instruction does with the accumulator.
LOAD, RETURN, EQUAL, AT_LEAST, ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45
# struct seccomp_data: the low words of what is looked at, both machines being little-endian.
NUMBER, ARCH, ARGUMENTS = 0, 4, (16, 24)

CLONE_THREAD = 0x00010000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h).
CLONE_NEW = 0x7E020000
# For unshare alone: in clone's flags it is a part of a signal's number.
CLONE_NEWTIME = 0x80
# They type into a terminal for its owner (asm-generic/ioctls.h).
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# They have the kernel signal another process when something comes (asm-generic/fcntl.h, sockios.h).
F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP = 8, 10, 15, 0x8901, 0x8902
PR_SET_PDEATHSIG = 1
SIGKILL = 9
PRIO_PROCESS = 0
OF_ONE = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
"""Their first argument is a process, 0 for the caller itself."""


class Step(NamedTuple):
    """One instruction; a test goes on at the label `then` where it holds, at `other` where not."""

    code: int
    value: int
    then: str = ""
    other: str = ""


Program = list[Step | str]
"""Instructions, and labels between them; no label: the next instruction."""

# How every program ends.
ENDS: Program = [
    "allow",
    Step(RETURN, ALLOW),
    "refused",
    Step(RETURN, ERRNO | errno.EPERM),
    "unknown",
    Step(RETURN, ERRNO | errno.ENOSYS),
    "no sockets",
    Step(RETURN, ERRNO | errno.EAFNOSUPPORT),
    "as if done",
    Step(RETURN, ERRNO | 0),
    "foreign",
    Step(RETURN, KILL_PROCESS),
]


def deny_calls(network: bool) -> None:
    """Forbid for this process's whole life what `program_of_box` says; raises OSError."""
    _install(program_of_box(this_machine(), network))


def deny_processes(pid: int) -> None:
    """Forbid for this process's whole life what `program_of_instance` says; raises OSError."""
    _install(program_of_instance(this_machine(), pid))


def program_of_box(machine: Machine, network: bool) -> Program:
    """Refuses what reaches beyond the process, new namespaces, and sockets other than pairs.

    The limits and priorities of other processes stay as they are. Sessions and groups of their own are not
    given, though it seems so: the pool is ended by its group. Calls of another architecture end the process.
    Calls that are newer than the table, clone3 whose flags cannot be seen, and those of x32 do not exist: C
    libraries fall back to older ones.
    """
    program = [*_start(machine), Step(AT_LEAST, NEWEST + 1, "unknown")]
    program += _go(machine, "unknown", "clone3")
    program += _go(machine, "clone", "clone") + _go(machine, "unshare", "unshare")
    program += _go(machine, "ioctl", "ioctl") + _go(machine, "fcntl", "fcntl")
    program += _go(machine, "prctl", "prctl") + _go(machine, "setpriority", "setpriority")
    program += _go(machine, "of one", *OF_ONE) + _go(machine, "as if done", "setsid", "setpgid")
    program += [] if network else _go(machine, "no sockets", "socket")
    program += _go(machine, "refused", *DENIED)
    program += [Step(RETURN, ALLOW)]
    program += ["clone", Step(LOAD, ARGUMENTS[0]), Step(ANY_BIT, CLONE_NEW, "refused", "allow")]
    program += ["unshare", Step(LOAD, ARGUMENTS[0])]
    program += [Step(ANY_BIT, CLONE_NEW | CLONE_NEWTIME, "refused", "allow")]
    program += ["ioctl", Step(LOAD, ARGUMENTS[1])]
    program += _refuse(TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP)
    program += ["fcntl", Step(LOAD, ARGUMENTS[1]), *_refuse(F_SETOWN, F_SETSIG, F_SETOWN_EX)]
    program += ["prctl", Step(LOAD, ARGUMENTS[0]), Step(EQUAL, PR_SET_PDEATHSIG, "", "allow")]
    program += [Step(LOAD, ARGUMENTS[1]), Step(EQUAL, SIGKILL, "allow", "refused")]
    program += ["setpriority", Step(LOAD, ARGUMENTS[0]), Step(EQUAL, PRIO_PROCESS, "", "refused")]
    program += [Step(LOAD, ARGUMENTS[1]), Step(EQUAL, 0, "allow", "refused")]
    program += ["of one", Step(LOAD, ARGUMENTS[0]), Step(EQUAL, 0, "allow", "refused")]
    return program + ENDS


def program_of_instance(machine: Machine, pid: int) -> Program:
    """Refuses processes, but not threads; signals to any other process; and to outlive the arbiter."""
    program = [*_start(machine), *_go(machine, "refused", "fork", "vfork", "pidfd_send_signal")]
    program += _go(machine, "clone", "clone") + _go(machine, "prctl", "prctl")
    program += _go(machine, "signal", "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
    program += [Step(RETURN, ALLOW)]
    program += ["clone", Step(LOAD, ARGUMENTS[0]), Step(ANY_BIT, CLONE_THREAD, "allow", "refused")]
    program += ["prctl", Step(LOAD, ARGUMENTS[0]), Step(EQUAL, PR_SET_PDEATHSIG, "refused", "allow")]
    program += ["signal", Step(LOAD, ARGUMENTS[0]), Step(EQUAL, pid, "allow", "refused")]
    return program + ENDS


def assemble(program: Sequence[Step | str]) -> bytes:
    """As an array of struct sock_filter (linux/filter.h)."""
    labels: dict[str, int] = {}
    steps: list[Step] = []
    for each in program:
        if isinstance(each, Step):
            steps.append(each)
        else:
            labels[each] = len(steps)
    return b"".join(
        struct.pack("HBBI", code, *(labels[to] - at - 1 if to else 0 for to in (then, other)), value)
        for at, (code, value, then, other) in enumerate(steps)
    )


def _start(machine: Machine) -> Program:
    return [Step(LOAD, ARCH), Step(EQUAL, machine.audit, "", "foreign"), Step(LOAD, NUMBER)]


def _refuse(*values: int) -> Program:
    return [*[Step(EQUAL, value, "refused") for value in values], Step(RETURN, ALLOW)]


def _go(machine: Machine, label: str, *names: str) -> Program:
    return [Step(EQUAL, number, label) for number in machine.numbers(*names)]


def _install(program: Program) -> None:
    code = assemble(program)
    held = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HP", len(code) // 8, ctypes.addressof(held))
    syscall(number_of("seccomp"), SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, fprog)
