"""Functions that fork, close, replace or write where they should not harm at most their own instance."""

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.hosts import RunningHost, wait_until
from tests.worker.deploying import answer, deploy, instance, wait_for_line

INDEX = """
import contextlib, io, logging, multiprocessing, os, signal, socket, stat, subprocess, sys, threading, time

def index(event, context):
    return globals()[event.pop("do")](event, context)

def pid(event, context):
    return os.getpid()

def configure(event, context):
    logging.basicConfig(level=logging.DEBUG, format="%(message)s")
    logging.info("after basicConfig")
    logging.basicConfig(level=logging.DEBUG, format="forced: %(message)s", force=True)
    logging.debug("after force")

def replace(event, context):
    before = sys.stdout
    sys.stdout = io.StringIO()
    print("lost")
    sys.stdout = io.TextIOWrapper(before.buffer, write_through=True)
    print("through a wrapper")
    sys.stdout.detach()
    sys.stdout = None
    print("nowhere")
    sys.stdout = before
    with contextlib.redirect_stdout(io.StringIO()):
        print("redirected")
    sys.stdout.close()
    print("back again")

def signals(event, context):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)

def fork(event, context):
    child = os.fork()
    if child == 0:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def fork_and_return(event, context):
    child = os.fork()
    if child == 0:
        return "from the child"
    os.waitpid(child, 0)
    return "from the parent"

def square(x):
    return x * x

def pool(event, context):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(square, range(4))

def spawn(event, context):
    process = multiprocessing.get_context("spawn").Process(target=square, args=(3,))
    process.start()
    process.join()
    return process.exitcode

def terminate(event, context):
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode

def run(event, context):
    code = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout
    return [int(code), os.system("exit 3") >> 8]

def inherited(event, context):
    command = ["ls", "/proc/self/fd"]
    return subprocess.run(command, close_fds=False, capture_output=True, text=True).stdout.split()

def threads(event, context):
    results = []
    workers = [threading.Thread(target=lambda: results.append(square(4))) for _ in range(4)]
    for each in workers: each.start()
    for each in workers: each.join()
    return results

def channel():
    for fd in range(3, 256):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd

def close_all(event, context):
    os.closerange(0, 1024)

def close_and_stay(event, context):
    os.closerange(3, 1024)
    time.sleep(60)

def garbage(event, context):
    os.write(channel(), b"\\xff" * 100)
    time.sleep(60)

def wrong_answer(event, context):
    head = b'{"n": %d, "k": "splendid"}' % context.number
    os.write(channel(), len(head).to_bytes(4, "big") + bytes(4) + head)
    time.sleep(60)

def half_a_frame(event, context):
    os.write(channel(), (5).to_bytes(4, "big") + bytes(4) + b"{")

def shut(event, context):
    socket.socket(fileno=os.dup(channel())).shutdown(socket.SHUT_RDWR)
    time.sleep(60)

def sleep(event, context):
    time.sleep(event["seconds"])
    return os.getpid()
"""


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with two functions that do as they are told: one of one instance, one of two."""
    deploy(shared_host, "one", INDEX, "timeout: 20s\nscale: {min: 1, max: 1}\nprocesses: 8\n")
    deploy(shared_host, "two", INDEX, "timeout: 3s\nscale: {min: 2, max: 2}\nprocesses: 8\n")
    return shared_host


def test_a_package_may_configure_logging_for_itself(host: RunningHost) -> None:
    response = host.invoke("one", {"do": "configure"})
    assert response.status_code == 204
    line = wait_for_line(host, "one", lambda line: line["line"] == "forced: after force")
    assert line["id"] == response.headers["x-request-id"]
    wait_for_line(host, "one", lambda line: line["line"] == "after basicConfig")


def test_a_package_may_replace_standard_output_and_put_it_back(host: RunningHost) -> None:
    assert host.invoke("one", {"do": "replace"}).status_code == 204
    wait_for_line(host, "one", lambda line: line["line"] == "back again")
    said = [line["line"] for line in host.logs("one")]
    assert "through a wrapper" in said
    assert not {"lost", "nowhere", "redirected"} & set(said)


@pytest.mark.parametrize(
    ("do", "result"),
    [
        ("fork", 7),
        ("fork_and_return", "from the parent"),
        ("pool", [0, 1, 4, 9]),
        ("spawn", 0),
        ("terminate", -15),
        ("run", [42, 3]),
        ("inherited", ["0", "1", "2", "3"]),
        ("threads", [16] * 4),
    ],
)
def test_a_function_may_use_processes_and_threads_and_its_instance_goes_on(
    host: RunningHost, do: str, result: object
) -> None:
    before = answer(host, "one", {"do": "pid"})
    assert answer(host, "one", {"do": do}) == result
    assert answer(host, "one", {"do": "pid"}) == before


def test_a_forked_child_that_comes_out_of_the_function_is_ended_and_told_of(host: RunningHost) -> None:
    assert answer(host, "one", {"do": "fork_and_return"}) == "from the parent"
    wait_for_line(host, "one", lambda line: "forked came out of it" in line["line"])


def test_an_instance_whose_signal_handlers_were_replaced_still_ends_when_it_should(host: RunningHost) -> None:
    deploy(host, "deaf", INDEX, "timeout: 1s\n")
    assert host.invoke("deaf", {"do": "signals"}).status_code == 204
    before = answer(host, "deaf", {"do": "pid"})
    assert host.invoke("deaf", {"do": "sleep", "seconds": 60}).status_code == 504
    wait_until(lambda: instance(host, "deaf") not in (0, before), "another takes its place")
    assert host.invoke("deaf", {"do": "signals"}).status_code == 204
    second = instance(host, "deaf")
    assert host.client.delete(f"{host.url}/api/functions/deaf").is_success
    wait_until(lambda: not psutil.pid_exists(second), "it ends with its function")


@pytest.mark.parametrize("do", ["close_all", "garbage", "wrong_answer"])
def test_an_instance_that_harms_its_channel_dies_alone_and_its_caller_gets_502(
    host: RunningHost, do: str
) -> None:
    wait_until(lambda: host.describe("two")["instances"] == 2, "two instances")
    with ThreadPoolExecutor(1) as other:
        neighbour = other.submit(host.invoke, "two", {"do": "sleep", "seconds": 1})
        wait_until(lambda: "busy" in states(host), "the neighbour runs")
        response = host.invoke("two", {"do": do})
        assert response.status_code == 502, response.text
        assert neighbour.result().status_code == 200
    wait_until(lambda: states(host) == ["idle", "idle"], "two instances again")
    assert isinstance(answer(host, "two", {"do": "pid"}), int)


def states(host: RunningHost) -> list[str]:
    return [each["state"] for each in host.describe("two")["instances_detail"]]


@pytest.mark.parametrize("do", ["close_and_stay", "half_a_frame", "shut"])
def test_an_instance_that_falls_silent_is_ended_at_the_deadline_at_the_latest(
    host: RunningHost, do: str
) -> None:
    wait_until(lambda: states(host) == ["idle", "idle"], "two instances")
    assert host.invoke("two", {"do": do}).status_code in (502, 504)
    wait_until(lambda: states(host) == ["idle", "idle"], "two instances again")
    pids = {answer(host, "two", {"do": "pid"}) for _ in range(4)}
    assert pids <= {each["pid"] for each in host.describe("two")["instances_detail"]}
