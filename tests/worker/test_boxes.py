"""What a boxed process may not do, as a user of its own and where the host has no privileges."""

import os
import signal
import socket
import subprocess
import uuid
from typing import Any

import pytest

from tests.worker.boxed import ROOT, USER, Room, landlock_abi

needs_landlock = pytest.mark.skipif(landlock_abi() == 0, reason="this kernel has no Landlock")
needs_scopes = pytest.mark.skipif(landlock_abi() < 6, reason="scopes of Landlock need Linux 6.12")


ATTEMPTS = {
    "read a password file": "open('/etc/shadow')",
    "read beside its folders": "open(outside + '/file')",
    "list beside its folders": "os.listdir(outside)",
    "write beside its folders": "open(outside + '/new', 'w')",
    "empty a file beside its folders": "os.truncate(outside + '/file', 0)",
    "remove a file beside its folders": "os.unlink(outside + '/file')",
    "rename a file beside its folders": "os.rename(outside + '/file', outside + '/other')",
    "write where it may read": "open(reads + '/file', 'w')",
    "make a file where it may read": "open(reads + '/new', 'w')",
    "make a pipe where it may read": "os.mkfifo(reads + '/pipe')",
    "link what it may read to where it may write": "os.link(reads + '/file', writes + '/linked')",
    "make a device": "os.mknod(writes + '/device', stat.S_IFBLK | 0o666, os.makedev(8, 0))",
    "run a program that it wrote": "os.execv(script(), ['script'])",
    "read another process's environment": "open(f'/proc/{victim}/environ').read(1)",
    "read another process's memory": "open(f'/proc/{victim}/mem', 'rb')",
    "look at another process's descriptors": "os.readlink(f'/proc/{victim}/fd/0')",
    "trace another process": "call('ptrace', 16, victim, 0, 0)",
    "read another process's memory by a call": "call('process_vm_readv', victim, 0, 0, 0, 0, 0)",
    "take another process's descriptors": "call('pidfd_getfd', os.pidfd_open(victim), 0, 0)",
    "compare its descriptors with another process's": "call('kcmp', os.getpid(), victim, 0, 0, 0)",
    "end another process": "os.kill(victim, signal.SIGTERM)",
    "end another process by its descriptor": "signal.pidfd_send_signal(os.pidfd_open(victim), 15)",
    "end its arbiter": "os.kill(given['arbiter'], signal.SIGTERM)",
    "end its group": "os.kill(0, signal.SIGTERM)",
    "open a TCP socket": "socket.socket()",
    "open a UDP socket": "socket.socket(type=socket.SOCK_DGRAM)",
    "open a Unix socket": "socket.socket(socket.AF_UNIX)",
    "open a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "enter namespaces": "call('unshare', 0x10000000)",
    "fork into namespaces": "call('clone', 0x10000000 | 17, 0, 0, 0, 0)",
    "join a namespace": "call('setns', 0, 0)",
    "mount": "call('mount', 0, 0, 0, 0, 0)",
    "open a file system": "call('fsopen', 0, 0)",
    "change its root": "os.chroot('/usr')",
    "load a program into the kernel": "call('bpf', 0, 0, 0)",
    "load a module into the kernel": "call('init_module', 0, 0, 0)",
    "use the kernel's keys": "call('keyctl', 0, 0, 0, 0, 0)",
    "use io_uring": "call('io_uring_setup', 1, 0)",
    "handle page faults": "call('userfaultfd', 1)",
    "count the processor's events": "call('perf_event_open', 0, 0, 0, 0, 0)",
    "change its personality": "call('personality', 0x0400000)",
    "open by handle": "call('open_by_handle_at', 0, 0, 0)",
    "watch file systems": "call('fanotify_init', 0, 0)",
    "read the kernel's log": "call('syslog', 3, 0, 0)",
    "restart the machine": "call('reboot', 0, 0, 0, 0)",
    "set the clock": "call('clock_settime', 99, 0)",
    "type into a terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "become another user": "os.setresuid(61001, 61001, 61001)",
    "raise its limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))",
    "fork": "os.fork()",
    "start a program": "subprocess.run(['/bin/true'])",
    "start a program another way": "os.posix_spawn('/bin/true', ['true'], {})",
    "outlive its arbiter": "prctl(1, 0)",
    "make a call that is newer than the box": "call(472)",
    "make a call with flags that cannot be seen": "call('clone3', 0, 0)",
}

TRY = """
import ctypes, errno, fcntl, os, resource, signal, socket, stat, subprocess
from boxed.walls.kernel import prctl, syscall
from boxed.walls.syscalls import number_of

reads, writes, outside = (given["folder"] + "/" + name for name in ("reads", "writes", "outside"))
victim = given["victim"]

def call(name, *arguments):
    return syscall(name if isinstance(name, int) else number_of(name), *arguments)

def script():
    path = writes + "/script"
    with open(path, "w") as file:
        file.write("#!/bin/sh\\n")
    os.chmod(path, 0o755)
    return path

for name, attempt in given["attempts"].items():
    try:
        exec(attempt)
        found[name] = "done"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]
    except ValueError:
        found[name] = "EPERM"
"""
FORBIDDEN = {"EPERM", "EACCES", "ENOSYS", "EAFNOSUPPORT", "EXDEV"}


@pytest.fixture(scope="module")
def refused(place: Room) -> dict[str, str]:
    """What came of each attempt in an instance, all in one process."""
    with subprocess.Popen(["sleep", "600"], **victim_of(place)) as victim:
        told = place.run(
            place.plan(),
            TRY,
            instance=True,
            attempts=ATTEMPTS,
            folder=str(place.folder),
            victim=victim.pid,
        )
        assert victim.poll() is None
        victim.kill()
    assert isinstance(told.found, dict), told.found
    assert (place.folder / "outside" / "file").read_text() == "kept"
    return told.found


def victim_of(place: Room) -> dict[str, Any]:
    """What makes a process another one of the user that is boxed."""
    return {"user": USER, "group": USER} if place.uid or place.user else {}


@needs_landlock
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_instance_may_not(attempt: str, refused: dict[str, str]) -> None:
    assert refused[attempt] in FORBIDDEN, refused[attempt]


def test_a_box_says_of_each_wall_whether_it_stands(place: Room) -> None:
    told = place.run(place.plan(), "found = 'ran'")
    assert told.found == "ran"
    names = {"no_new_privs", "limits", "landlock", "seccomp"} | ({"uid"} if place.uid else set())
    assert dict.fromkeys(names) == {**told.walls, **({} if landlock_abi() else {"landlock": None})}


DAC_OVERRIDE = 1 << 1
STATUS = """
import os, resource
with open("/proc/self/status") as file:
    status = dict(line.split(":", 1) for line in file)
old = os.umask(0o077)
found.update(
    ids=[os.getresuid(), os.getresgid()], groups=os.getgroups(), umask=old,
    capabilities=[int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    privileges=status["NoNewPrivs"].strip(), seccomp=status["Seccomp"].strip(),
    limits={name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in
            ("CORE", "NOFILE", "FSIZE", "DATA", "NPROC")},
)
"""


def test_nothing_is_left_of_root(place: Room) -> None:
    plan = place.plan(file_size=1 << 20, memory=1 << 28, processes=50, landlock=False)
    found = place.run(plan, STATUS).found
    assert (found["privileges"], found["seccomp"]) == ("1", "2")
    limits = found["limits"]
    assert limits["CORE"] == [0, 0] and limits["NOFILE"] == [1024, 1024]
    assert limits["FSIZE"] == [1 << 20] * 2 and limits["DATA"] == [1 << 28] * 2
    # A process that was never root may be bounded by more than it has.
    kept = 0 if place.uid or place.user or not ROOT else DAC_OVERRIDE
    inherited, permitted, effective, bounding, ambient = found["capabilities"]
    assert (inherited, permitted, effective, ambient) == (0, kept, kept, 0)
    if ROOT and not place.user:
        assert bounding == kept
    if place.uid:
        assert found["ids"] == [[USER] * 3] * 2 and found["groups"] == []
        assert (limits["NPROC"], found["umask"]) == ([50, 50], 0o077)


OLDER = """
import os
from boxed.walls import landlock

def confine(version):
    landlock.abi = lambda: version
    landlock.restrict_files([given["folder"] + "/reads"], [given["folder"] + "/writes"], False)
    landlock.stand_alone()
    open(given["folder"] + "/reads/file").read()
    open(given["folder"] + "/writes/file", "a").write("")
    try:
        open(given["folder"] + "/outside/file")
    except PermissionError:
        os._exit(0)

for version in range(1, landlock.abi() + 1):
    child = os.fork()
    if not child:
        try:
            confine(version)
        finally:
            os._exit(1)
    found[version] = os.waitpid(child, 0)[1]
"""


@needs_landlock
def test_older_kernels_are_asked_for_no_more_than_they_know(place: Room) -> None:
    plan = place.plan(landlock=False, seccomp=False)
    told = place.run(plan, OLDER, folder=str(place.folder))
    assert told.found == {str(version): 0 for version in range(1, landlock_abi() + 1)}


@needs_scopes
def test_a_function_with_network_reaches_no_abstract_socket_of_others(place: Room) -> None:
    name = f"\0fnhost-{uuid.uuid4().hex}"
    code = """
import socket
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect(given["name"])
        found = "connected"
    except PermissionError:
        found = "refused"
"""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        assert place.run(place.plan(network=True, landlock=False), code, name=name).found == "connected"
        assert place.run(place.plan(network=True), code, name=name).found == "refused"


def test_calls_of_a_32_bit_program_end_the_process(place: Room) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("made of x86 instructions")
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    assert place.run(place.plan(), code).status in (-signal.SIGSYS, -signal.SIGSEGV)


def test_an_own_network_has_nothing_but_a_loopback_that_is_down(place: Room) -> None:
    code = """
with open("/proc/self/net/dev") as file:
    found["devices"] = [line.split(":")[0].strip() for line in file if ":" in line]
"""
    told = place.run(place.plan(namespace=True, landlock=False), code)
    if told.walls["namespace"] is not None:
        pytest.skip(f"namespaces are refused here: {told.walls['namespace']}")
    assert told.found["devices"] == ["lo"]


def test_what_a_box_cannot_have_is_told_and_the_rest_stands(place: Room) -> None:
    if place.user is None and ROOT:
        pytest.skip("root can have it all")
    told = place.run(place.plan(uid=USER + 1), "found = 'ran'")
    assert told.walls["uid"] == "[Errno 1] Operation not permitted"
    assert (told.walls["seccomp"], told.found) == (None, "ran")


@needs_landlock
def test_what_is_needed_and_cannot_be_read_is_named(place: Room) -> None:
    inside = place.folder / "closed" / "package"
    inside.mkdir(parents=True, exist_ok=True)
    inside.parent.chmod(0o700)
    told = place.run(place.plan(landlock=False), "", reach=[str(inside)])
    if place.uid or place.user:
        assert told.status == 5
        assert f"does not let user {USER} read {inside}: it may not pass {inside.parent}; make" in told.found
    outside = place.folder / "outside"
    told = place.run(place.plan(), "", reach=[str(outside)])
    assert f"read {outside}: Permission denied" in told.found
