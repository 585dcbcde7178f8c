"""What a boxed process still may do, and what a function's author is told of what it may not."""

import pytest

from tests.worker.boxed import USER, Room

HABITS = {
    "start threads": "threading.Thread(target=int).start()",
    "pool threads": "list(concurrent.futures.ThreadPoolExecutor(4).map(int, '1234'))",
    "run coroutines": "asyncio.run(asyncio.to_thread(time.sleep, 0))",
    "make temporary files": "tempfile.NamedTemporaryFile().write(b'x')",
    "make temporary folders": "tempfile.TemporaryDirectory().cleanup()",
    "move files between folders": "move_between_folders()",
    "remove what it wrote": "pathlib.Path(writes, 'mine').write_text('x'); os.unlink(writes + '/mine')",
    "empty what it wrote": "pathlib.Path(writes, 'full').write_text('x'); os.truncate(writes + '/full', 0)",
    "write to nowhere": "open('/dev/null', 'w').write('x')",
    "pair sockets": "[each.close() for each in socket.socketpair()]",
    "pass messages in a pipe": "multiprocessing.Pipe()[0].close()",
    "make a TLS context": "ssl.create_default_context()",
    "read what is its own": "open(reads + '/file').read()",
    "read its own state": "open('/proc/self/status').read(), os.listdir('/proc/self/fd')",
    "read of the processor": "open('/proc/cpuinfo').read()",
    "be random": "os.urandom(8), open('/dev/urandom', 'rb').read(1)",
    "import what is written in C": "import decimal, sqlite3; sqlite3.connect(':memory:').execute('select 1')",
    "map memory": "mmap.mmap(-1, 4096).write(b'x')",
    "watch its files": "select.epoll().close(), open(reads + '/file', 'rb').fileno()",
    "signal itself": "signal.signal(signal.SIGUSR2, lambda *_: None); os.kill(os.getpid(), signal.SIGUSR2)",
    "raise a signal": "signal.raise_signal(signal.SIGUSR2)",
    "wait for a time": "signal.setitimer(signal.ITIMER_REAL, 60)",
    "dump its stack": "faulthandler.dump_traceback(open('/dev/null', 'w'))",
    "lock a file": "fcntl.flock(open(writes + '/lock', 'w'), fcntl.LOCK_EX)",
    "confine itself more": "landlock.stand_alone()",
}
PRELUDE = """
import asyncio, concurrent.futures, faulthandler, fcntl, mmap, multiprocessing, os, pathlib, signal, socket
import select, ssl, subprocess, sys, tempfile, threading, time, traceback
from boxed.walls import landlock

reads, writes = given["folder"] + "/reads", given["folder"] + "/writes"

def move_between_folders():
    for name in ("one", "two"):
        os.makedirs(f"{writes}/{name}", exist_ok=True)
    pathlib.Path(writes, "one", "moved").write_text("x")
    os.rename(f"{writes}/one/moved", f"{writes}/two/moved")

for name, habit in given["habits"].items():
    try:
        exec(habit)
        found[name] = "done"
    except BaseException:
        found[name] = traceback.format_exc()
"""


@pytest.fixture(scope="module")
def done(place: Room) -> dict[str, str]:
    """What came of each habit in an instance, all in one process."""
    told = place.run(place.plan(), PRELUDE, instance=True, habits=HABITS, folder=str(place.folder))
    assert isinstance(told.found, dict), told.found
    return told.found


@pytest.mark.parametrize("habit", HABITS)
def test_an_instance_may(habit: str, done: dict[str, str]) -> None:
    assert done[habit] == "done"


PROCESSES = {
    "run a program": "subprocess.run(['/bin/true'], check=True)",
    "run another Python": "subprocess.run([sys.executable, '-I', '-S', '-c', 'import json'], check=True)",
    "run a shell": "assert os.system('true') == 0",
    "end a program": "child = subprocess.Popen(['sleep', '60']); child.kill(); child.wait()",
    "fork": "os._exit(0) if (pid := os.fork()) == 0 else os.waitpid(pid, 0)",
}


def test_an_instance_that_may_start_processes_does_so_and_ends_them(place: Room) -> None:
    told = place.run(
        place.plan(forks=True), PRELUDE, instance=True, habits=PROCESSES, folder=str(place.folder)
    )
    assert told.found == dict.fromkeys(PROCESSES, "done")


def test_a_file_that_grows_too_large_is_an_error_of_the_function(place: Room) -> None:
    code = (
        "import errno\ntry:\n    open(given['file'], 'wb').write(bytes(1 << 20))\nexcept OSError as error:\n"
    )
    code += "    found = errno.errorcode[error.errno]\n"
    told = place.run(place.plan(file_size=1 << 19), code, file=str(place.folder / "writes" / "large"))
    assert told.found == "EFBIG"


def test_an_own_user_may_not_have_more_processes_than_it_is_given(place: Room) -> None:
    plan = place.plan(forks=True, processes=8)
    if plan.uid is None:
        pytest.skip("it counts for the whole user, and is set only for one of the function's own")
    code = """
import os, threading
event, threads = threading.Event(), []
try:
    while len(threads) < 100:
        threads.append(threading.Thread(target=event.wait))
        threads[-1].start()
except RuntimeError:
    found = len(threads)
event.set()
"""
    found = place.run(plan, code).found
    assert isinstance(found, int) and 1 < found <= 8, found
    assert plan.uid == USER
