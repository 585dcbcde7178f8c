"""A function that takes all it can get takes it from itself."""

from tests.attacks.siege import Siege, explain

SMALL = "timeout: 5s\nscale: {max: 1}\n"


def test_a_fork_bomb_gets_no_process_of_its_own(siege: Siege) -> None:
    index = """
import os, probes, subprocess
def index(event, context):
    def bomb():
        for _ in range(1000):
            if os.fork() == 0:
                os._exit(0)
    return probes.run({"fork": bomb, "subprocess": lambda: subprocess.run(["/bin/true"])})
"""
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        told = attacker.tries()
        assert told == {"fork": "EPERM", "subprocess": "EPERM"}, explain(told)


def test_a_fork_bomb_that_may_start_processes_is_held_at_their_number(siege: Siege) -> None:
    index = """
import os, probes, time
def index(event, context):
    born = []
    def bomb():
        for _ in range(5000):
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            born.append(pid)
    return probes.run({"fork": bomb}) | {"born": str(len(born))}
"""
    manifest = "timeout: 20s\nscale: {max: 1}\nprocesses: 20\n"
    # With a name, and so a user, of its own: the dead count as well until somebody has reaped them.
    with siege.attacker({"index.py": index, "function.yaml": manifest}, "bomber") as attacker:
        told = attacker.tries()
        assert told["fork"] == "EAGAIN", explain(told)
        assert 1 <= int(told["born"]) <= 1000, explain(told)


def test_one_who_eats_memory_dies_alone_and_its_caller_is_told_of_what(siege: Siege) -> None:
    index = """
def index(event, context):
    kept = []
    while True:
        kept.append(bytearray(b"x" * 4 * 1024 * 1024))
"""
    manifest = "timeout: 30s\nscale: {max: 1}\nresources: {memory: 128MiB}\n"
    with siege.attacker({"index.py": index, "function.yaml": manifest}) as attacker:
        answer = attacker.attack()
        assert answer.status_code in (500, 502), answer.text
        assert "memory" in answer.text.lower(), answer.text


def test_an_endless_loop_ends_at_its_deadline(siege: Siege) -> None:
    index = "def index(event, context):\n    while True:\n        pass\n"
    with siege.attacker({"index.py": index, "function.yaml": "timeout: 1s\n"}) as attacker:
        assert attacker.attack().status_code == 504


def test_one_who_leaks_descriptors_runs_out_of_its_own(siege: Siege) -> None:
    index = """
import os, probes
kept = []
def index(event, context):
    def leak():
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    return probes.run({"leak": leak})
"""
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        assert attacker.tries() == {"leak": "EMFILE"}


def test_a_gigabyte_of_prints_neither_fills_the_disk_nor_the_memory_of_the_host(siege: Siege) -> None:
    index = """
def index(event, context):
    line = "x" * (1024 * 1024)
    for _ in range(1024):
        print(line)
    return "printed"
"""
    with siege.attacker({"index.py": index, "function.yaml": "timeout: 60s\n"}) as attacker:
        before = siege.host_memory()
        answer = attacker.attack(timeout=90)
        assert answer.status_code in (200, 504), answer.text
        assert siege.host_memory() - before < 64 * 1024 * 1024
        kept = sum(path.stat().st_size for path in (siege.host.state / "logs").rglob("*") if path.is_file())
        assert kept < 64 * 1024 * 1024


def test_a_result_of_a_gigabyte_is_refused_before_it_is_read(siege: Siege) -> None:
    index = "def index(event, context):\n    return bytes(1024 * 1024 * 1024)\n"
    with siege.attacker({"index.py": index, "function.yaml": "timeout: 30s\n"}) as attacker:
        before = siege.host_memory()
        answer = attacker.attack()
        assert answer.status_code == 500, answer.text
        assert "max_result" in answer.text, answer.text
        assert siege.host_memory() - before < 64 * 1024 * 1024


def test_one_who_fills_the_disk_is_stopped_at_the_size_of_a_file(siege: Siege) -> None:
    index = """
import os, probes
def index(event, context):
    path = os.path.join(context.output_dir, "full")
    def fill():
        with open(path, "wb") as file:
            for _ in range(1024):
                os.posix_fallocate(file.fileno(), 0, 8 * 1024 * 1024 * 1024)
    try:
        return probes.run({"fill": fill})
    finally:
        os.remove(path)
"""
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        assert attacker.tries() == {"fill": "EFBIG"}


def test_one_who_stops_itself_is_ended_at_the_deadline(siege: Siege) -> None:
    index = "import os, signal\ndef index(event, context):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    with siege.attacker({"index.py": index, "function.yaml": "timeout: 1s\n"}) as attacker:
        assert attacker.attack().status_code == 504


def test_one_who_leaves_at_once_fails_its_own_events_only(siege: Siege) -> None:
    index = "import os\ndef index(event, context):\n    os._exit(event['code'])\n"
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        for code in (0, 3, 4):
            answer = attacker.attack({"code": code})
            assert answer.status_code == 502, answer.text


def test_a_daemon_does_not_outlive_its_function(siege: Siege) -> None:
    index = """
import ctypes, os, probes, time
def index(event, context):
    def leave():
        if os.fork():
            return
        os.setsid()
        if os.fork():
            os._exit(0)
        ctypes.CDLL(None).prctl(15, b"harm-daemon", 0, 0, 0)
        os.environ.clear()
        os.closerange(0, 100)
        time.sleep(600)
    return probes.run({"leave": leave})
"""
    manifest = "timeout: 5s\nscale: {max: 1}\nprocesses: 5\n"
    with siege.attacker({"index.py": index, "function.yaml": manifest}) as attacker:
        assert attacker.tries() == {"leave": "done"}
