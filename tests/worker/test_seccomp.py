"""The tables of system calls are the kernel's, and the programs made of them do what they should."""

import errno
import re
import struct
from pathlib import Path

import pytest

from runtime.worker.walls.seccomp import (
    ALLOW,
    ANY_BIT,
    AT_LEAST,
    EQUAL,
    ERRNO,
    KILL_PROCESS,
    LOAD,
    RETURN,
    Program,
    assemble,
    program_of_box,
    program_of_instance,
)
from runtime.worker.walls.syscalls import DENIED, LOOKED_AT, MACHINES, NEWEST, Machine

HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}
X32 = 0x40000000
PID = 4321
EPERM, ENOSYS, EAFNOSUPPORT = (ERRNO | each for each in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))

machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)


def decide(
    program: Program, machine: Machine, call: str | int, *arguments: int, audit: int | None = None
) -> int:
    """What a program makes of a call, by the semantics of classic BPF (linux/bpf_common.h)."""
    number = machine.number(call) if isinstance(call, str) else call
    assert number is not None
    given = [*arguments, *(0,) * (6 - len(arguments))]
    data = struct.pack("IIQ6Q", number, audit or machine.audit, 0, *given)
    code = assemble(program)
    steps = list(struct.iter_unpack("HBBI", code))
    at = accumulator = 0
    while True:
        kind, then, other, value = steps[at]
        at += 1
        if kind == LOAD:
            (accumulator,) = struct.unpack_from("I", data, value)
        elif kind == RETURN:
            return int(value)
        else:
            holds = {
                EQUAL: accumulator == value,
                AT_LEAST: accumulator >= value,
                ANY_BIT: accumulator & value,
            }
            at += then if holds[kind] else other


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_the_kernels(name: str) -> None:
    header = next((Path(each) for each in HEADERS[name] if Path(each).exists()), None)
    if header is None:
        pytest.skip(f"the kernel's headers for {name} are not installed")
    text = header.read_text(encoding="utf-8")
    theirs = {call: int(number) for call, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}
    theirs |= {call: int(number) for call, number in re.findall(r"#define __NR3264_(\w+)\s+(\d+)", text)}
    newest = max(number for call, number in theirs.items() if call != "syscalls")
    for call in (*DENIED, *LOOKED_AT):
        ours = MACHINES[name].number(call)
        if ours is None:
            assert call not in theirs, call
        elif ours <= newest:
            assert theirs[call] == ours, call


@machines
def test_a_box_refuses_what_is_listed_and_nothing_else(machine: Machine) -> None:
    program = program_of_box(machine, network=True)
    denied = set(machine.numbers(*DENIED))
    special = set(machine.numbers("clone3", "setsid", "setpgid"))
    for number in range(NEWEST + 1):
        if number not in special:
            assert decide(program, machine, number) == (EPERM if number in denied else ALLOW), number


@machines
def test_a_box_knows_no_call_of_another_architecture_nor_of_the_future(machine: Machine) -> None:
    program = program_of_box(machine, network=True)
    assert decide(program, machine, 1, audit=0x40000003) == KILL_PROCESS
    assert [decide(program, machine, number) for number in (NEWEST + 1, X32 | 39, 2**32 - 1)] == [ENOSYS] * 3
    assert decide(program, machine, "clone3") == ENOSYS


@machines
def test_a_box_looks_at_the_arguments_of_clone_unshare_and_ioctl(machine: Machine) -> None:
    program = program_of_box(machine, network=True)
    assert decide(program, machine, "clone", 17) == ALLOW
    assert decide(program, machine, "clone", 17 | 0x10000000) == EPERM
    only_fs, new_time = 0x200, 0x80
    assert decide(program, machine, "unshare", only_fs) == ALLOW, "a working folder for one thread"
    assert decide(program, machine, "unshare", only_fs | new_time) == EPERM
    assert decide(program, machine, "ioctl", 0, 0x5401) == ALLOW
    # The kernel reads the command as 32 bits.
    assert decide(program, machine, "ioctl", 0, 0x5412 | 1 << 32) == EPERM


@machines
def test_a_box_lets_nobody_change_the_limits_and_priorities_of_others_or_leave_its_group(
    machine: Machine,
) -> None:
    program = program_of_box(machine, network=True)
    for call in ("prlimit64", "sched_setaffinity", "sched_setattr"):
        assert [decide(program, machine, call, pid) for pid in (0, PID)] == [ALLOW, EPERM], call
    priorities = [decide(program, machine, "setpriority", *whose) for whose in ((0, 0), (0, PID), (2, 0))]
    assert priorities == [ALLOW, EPERM, EPERM], "PRIO_USER with 0 is every process of the user"
    assert [decide(program, machine, call, 0, 0) for call in ("setsid", "setpgid")] == [ERRNO, ERRNO]
    assert [decide(program, machine, "prctl", 1, number) for number in (9, 0, 15)] == [ALLOW, EPERM, EPERM]
    assert [decide(program, machine, "fcntl", 3, command) for command in (1, 8)] == [ALLOW, EPERM]


@machines
def test_only_a_box_without_network_refuses_sockets(machine: Machine) -> None:
    assert decide(program_of_box(machine, network=True), machine, "socket", 2) == ALLOW
    assert decide(program_of_box(machine, network=False), machine, "socket", 2) == EAFNOSUPPORT


@machines
def test_an_instance_has_threads_but_no_processes_and_signals_itself_alone(machine: Machine) -> None:
    program = program_of_instance(machine, PID)
    assert decide(program, machine, "clone", 0x3D0F00) == ALLOW, "what pthread_create asks for"
    assert decide(program, machine, "clone", 17) == EPERM
    assert all(decide(program, machine, number) == EPERM for number in machine.numbers("fork", "vfork"))
    for call in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        assert [decide(program, machine, call, pid) for pid in (PID, 0, PID + 1)] == [ALLOW, EPERM, EPERM], (
            call
        )
    assert decide(program, machine, "prctl", 15) == ALLOW
    assert decide(program, machine, "prctl", 1) == EPERM
