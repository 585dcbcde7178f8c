"""A function reads, writes, signals and connects to what is its own, and to nothing of anybody else."""

import os
from pathlib import Path

from tests.attacks.siege import PROBES, Siege, explain
from tests.hosts import Files

SMALL = "timeout: 20s\nscale: {max: 1}\n"
DENIED = {"EACCES", "EPERM", "ENOENT", "EROFS", "ESRCH"}

LOADER = """
def index(event, context):
    return context.model()
"""
FROM_PICKLE = """

def from_pickle(path):
    import os
    attempts = {"canary": lambda: open(path, "ab").close(), "kill": lambda: os.kill(1, 0)}
    return run(attempts | {"own": lambda: None})
"""


def _all_denied(told: dict[str, str]) -> bool:
    return all(how in DENIED for how in told.values())


def test_no_file_of_the_host_or_of_another_function_is_read(siege: Siege) -> None:
    index = """
import os, probes
def read(path):
    def attempt():
        with open(path, "rb") as file:
            return file.read(20)
    return attempt
def index(event, context):
    return probes.run({path: read(path) for path in event["paths"]})
"""
    state = siege.host.state
    found = [path for path in state.rglob("*") if path.is_file() and _is_secret(path, state)]
    assert any(path.name == "kept.txt" for path in found)
    assert any(path.name == "registry.db" for path in found)
    secrets = [*map(str, found), "/etc/shadow", f"/proc/{siege.host.process.pid}/environ"]
    secrets += [f"/proc/{siege.host.process.pid}/mem", f"/proc/{siege.neighbour_pid()}/environ"]
    secrets += [f"/proc/{siege.neighbour_pid()}/mem", "/root/.bashrc", str(siege.canary)]
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        told = attacker.tries({"paths": secrets})
        assert _all_denied(told), explain({path: how for path, how in told.items() if how not in DENIED})


def _is_secret(path: Path, state: Path) -> bool:
    part = path.relative_to(state).parts[0]
    in_common = part in ("overlay", "pythons", "host.lock") or "venv" in path.parts
    return not in_common and "attacker" not in path.parts


def test_nothing_is_written_but_to_its_own_folders(siege: Siege) -> None:
    index = """
import os, probes, tempfile
def write(path):
    def attempt():
        # Where it succeeds nothing is changed: what it finds may be the tests' own.
        is_new = not os.path.exists(path)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        if is_new:
            os.remove(path)
    return attempt
def index(event, context):
    attempts = {path: write(path) for path in event["paths"]}
    attempts["own package"] = write(os.path.join(context.package_dir, "index.py"))
    attempts["delete own package"] = lambda: os.remove(os.path.join(context.package_dir, "index.py"))
    attempts["rename own package"] = lambda: os.rename(context.package_dir, context.package_dir + "x")
    attempts["own venv"] = write(os.path.join(__import__("sys").prefix, "harm.pth"))
    attempts["worker"] = write(__import__("_fnhost_worker").__file__)
    allowed = {
        "output": write(os.path.join(context.output_dir, "fine")),
        "tmp": lambda: tempfile.TemporaryFile().write(b"fine") and None,
    }
    return {"outside": probes.run(attempts), "inside": probes.run(allowed)}
"""
    state = siege.host.state
    places = [state, *(state / name for name in ("packages", "environments", "output", "logs"))]
    paths = [f"{place}/harm" for place in (*places, "/tmp", "/dev/shm", "/etc", "/usr", "/var/tmp")]
    paths += [str(siege.canary), str(state / "registry.db")]
    neighbour = next(state.glob("packages/*/kept.txt"))
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        answer = attacker.attack({"paths": [*paths, str(neighbour)]}).json()
        assert _all_denied(answer["outside"]), explain(answer["outside"])
        assert answer["inside"] == {"output": "done", "tmp": "done"}


def test_nobody_else_is_signalled_or_traced(siege: Siege) -> None:
    index = """
import ctypes, os, probes
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
def trace(pid):
    def attempt():
        if libc.ptrace(ctypes.c_long(16), ctypes.c_long(pid), None, None) < 0:
            raise OSError(ctypes.get_errno(), "")
    return attempt
def index(event, context):
    attempts = {}
    for name, pid in {**event["pids"], "arbiter": os.getppid(), "everybody": -1}.items():
        attempts[f"kill {name}"] = lambda pid=pid: os.kill(pid, 0)
    import resource
    for name in ("host", "neighbour"):
        # It only asks for the limit, so that nothing changes where the wall is missing.
        attempts[f"limit {name}"] = lambda pid=event["pids"][name]: resource.prlimit(pid, 4)
        attempts[f"trace {name}"] = trace(event["pids"][name])
    return probes.run(attempts)
"""
    host, neighbour = siege.host.process.pid, siege.neighbour_pid()
    pids = {"host": host, "neighbour": neighbour, "init": 1, "tests": os.getpid()}
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        # Signal 0 asks for the right alone: where the wall is missing the machine must not be gone.
        told = attacker.tries({"pids": pids})
        assert _all_denied(told), explain(told)


def test_no_socket_of_the_host_takes_its_word(siege: Siege) -> None:
    index = """
import http.client, json, probes
def ask(port, method, path, body=None):
    def attempt():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, body)
        return connection.getresponse().status
    return attempt
def index(event, context):
    port = event["port"]
    return probes.run({
        "list": ask(port, "GET", "/api/functions"),
        "remove": ask(port, "DELETE", "/api/functions/neighbour"),
        "scale": ask(port, "POST", "/api/functions/neighbour/scale", json.dumps({"instances": 0})),
        "deploy": ask(port, "POST", "/api/functions?name=harm", b"PK"),
        "config": ask(port, "POST", "/api/config", json.dumps({"path": "/etc/passwd"})),
        "logs": ask(port, "GET", "/api/functions/neighbour/logs"),
    })
"""
    port = int(siege.host.url.rsplit(":", 1)[1])
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        told = attacker.tries({"port": port})
        assert set(told.values()) <= {"done: 401", "done: 403"}, explain(told)


def test_a_function_without_network_opens_no_socket(siege: Siege) -> None:
    index = """
import asyncio, probes, socket
def index(event, context):
    def connect():
        socket.create_connection(("127.0.0.1", event["port"]), 5)
    def datagram():
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
    def local():
        socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
    told = probes.run({"tcp": connect, "udp": datagram, "unix": local})
    asyncio.run(asyncio.sleep(0))
    return told
"""
    port = int(siege.host.url.rsplit(":", 1)[1])
    manifest = SMALL + "network: none\n"
    with siege.attacker({"index.py": index, "function.yaml": manifest}) as attacker:
        told = attacker.tries({"port": port})
        assert all(not how.startswith("done") for how in told.values()), explain(told)


def test_the_kernel_is_asked_for_nothing_dangerous(siege: Siege) -> None:
    index = """
import ctypes, os, platform, probes
NUMBERS = {
    "x86_64": {"mount": 165, "unshare": 272, "setns": 308, "bpf": 321, "keyctl": 250,
               "io_uring_setup": 425, "userfaultfd": 323, "perf_event_open": 298, "init_module": 175,
               "kexec_load": 246, "reboot": 169, "chroot": 161, "personality": 135, "swapon": 167,
               "process_vm_readv": 310, "pidfd_getfd": 438},
    "aarch64": {"mount": 40, "unshare": 97, "setns": 268, "bpf": 280, "keyctl": 219,
                "io_uring_setup": 425, "userfaultfd": 282, "perf_event_open": 241, "init_module": 105,
                "kexec_load": 104, "reboot": 142, "chroot": 51, "personality": 92, "swapon": 224,
                "process_vm_readv": 270, "pidfd_getfd": 438},
}
def index(event, context):
    numbers = NUMBERS[platform.machine()]
    ask = lambda number: lambda: probes.syscall(number, 0, 0, 0, 0, 0)
    attempts = {name: ask(number) for name, number in numbers.items()}
    attempts["unshare"] = lambda: probes.syscall(numbers["unshare"], 0x20000)
    attempts["setuid"] = lambda: os.setuid(0) if os.getuid() else os.setgroups([0])
    attempts["raise limit"] = lambda: __import__("resource").setrlimit(4, (1, -1))
    return probes.run(attempts)
"""
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        told = attacker.tries()
        assert told.pop("raise limit").startswith("ValueError: not allowed")
        assert set(told.values()) <= {"EPERM", "ENOSYS"}, explain(told)


def test_nothing_is_inherited_from_the_host(siege: Siege) -> None:
    index = """
import os
def index(event, context):
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return {"fds": found, "env": sorted(os.environ)}
"""
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        answer = attacker.attack().json()
        held = [where for where in answer["fds"].values() if where.startswith("/")]
        harmless = ("/dev/null", "/dev/urandom", "/proc/", "/memfd:")
        assert not [where for where in held if not where.startswith(harmless)], answer
        assert not [name for name in answer["env"] if name.endswith("TOKEN") or "SECRET" in name], answer


def test_a_pickle_that_runs_code_at_load_runs_it_in_the_box(siege: Siege) -> None:
    pickle = b"cprobes\nfrom_pickle\n(S'%s'\ntR." % str(siege.canary).encode()  # protocol 0, by hand
    manifest = SMALL + "model: model.pkl\n"
    files: Files = {"index.py": LOADER, "model.pkl": pickle, "function.yaml": manifest}
    with siege.attacker({**files, "probes.py": PROBES + FROM_PICKLE}) as attacker:
        told = attacker.tries()
        assert told["own"] == "done", explain(told)
        assert {told["canary"], told["kill"]} <= {"EACCES", "EPERM"}, explain(told)
