"""A pool by itself: real arbiters and instances, and the walls around them."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runtime.boot import BootError
from runtime.dispatch.dispatcher import Dispatcher
from runtime.events import Event, encode_metadata
from runtime.leftovers import kill_leftovers
from runtime.loglines import BURST, LogLine
from runtime.overlay import Overlay, prepare_overlay
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from runtime.spec import PoolSpec
from runtime.worker.logs import LINE_COST
from tests.hosts import see_none_left, wait_until

PATIENCE = 120
AMPLE = 2**40


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """The overlay folders, made once."""
    return prepare_overlay(tmp_path_factory.mktemp("overlay"))


class Bench:
    """Makes pools of a package written on the spot, and keeps what they log."""

    def __init__(self, folder: Path, overlay: Overlay) -> None:
        self.folder = folder
        self.owner = f"test-{os.urandom(8).hex()}"
        self.lines: list[LogLine] = []
        self.workshop = Workshop(overlay, self.owner, self.lines.append)

    def pool(self, index: str, instances: int | None = 1, **changes: object) -> Pool:
        package, output = self.folder / "package", self.folder / "output"
        package.mkdir()
        output.mkdir()
        (package / "index.py").write_text(index, encoding="utf-8")
        settings: dict[str, Any] = {"python": Path(sys.executable), **changes}
        spec = PoolSpec("f", 1, "", package_dir=package, output_dir=output, **settings)
        loop = asyncio.get_running_loop()
        return Pool(spec, self.workshop, Scaler(loop, Sampler(loop), AMPLE), instances)


@pytest.fixture
def bench(tmp_path: Path, overlay: Overlay) -> Iterator[Bench]:
    """A bench that leaves no process behind."""
    made = Bench(tmp_path, overlay)
    yield made
    see_none_left(made.owner)


def play(pool_of: Callable[[], Pool], scene: Callable[[Pool], Awaitable[None]]) -> None:
    async def run() -> None:
        pool = pool_of()
        try:
            await asyncio.wait_for(pool.start(), PATIENCE)
            await asyncio.wait_for(scene(pool), PATIENCE)
        finally:
            await pool.stop()

    asyncio.run(run())


async def invoke(pool: Pool, body: bytes = b"{}") -> bytes | None:
    return (await pool.submit(Event(body))).body


async def until(true: Callable[[], object], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not true():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.01)


def idle(pool: Pool) -> list[int]:
    """The pids of the instances that wait for events."""
    return [each.pid for each in pool.view().instances if each.state == "idle"]


BOX = """
import os, resource

def _walls():
    lines = open("/proc/self/status").read().splitlines()
    status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
    fds = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds[int(fd)] = os.readlink(f"/proc/self/fd/{fd}").split(":")[0]
        except OSError:
            pass
    return {
        "no_new_privs": status["NoNewPrivs"].strip(),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "data": resource.getrlimit(resource.RLIMIT_DATA),
        "sockets": sum(name == "socket" for name in fds.values()),
        "environ": sorted(os.environ),
        "threads": os.environ["OMP_NUM_THREADS"],
        "cwd": os.getcwd(),
    }

def index(event, context):
    return _walls()
"""


def test_an_instance_is_boxed_and_holds_no_socket_but_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")

    async def scene(pool: Pool) -> None:
        import json

        walls = json.loads(await invoke(pool) or b"")
        assert walls["no_new_privs"] == "1"
        assert walls["core"] == [0, 0]
        assert walls["files"] == [1024, 1024]
        assert walls["data"] == [512 * 2**20] * 2
        assert walls["sockets"] == 1, "the control channel and the siblings' sockets are closed"
        assert "SECRET_OF_THE_HOST" not in walls["environ"]
        assert walls["threads"] == "1"
        assert walls["cwd"] == str(bench.folder / "package")

    play(lambda: bench.pool(BOX, instances=2, memory=512 * 2**20), scene)


def test_a_function_that_wants_more_memory_than_it_may_have_fails_alone(bench: Bench) -> None:
    index = "def index(event, context):\n    return len(bytearray(event['bytes']))\n"

    async def scene(pool: Pool) -> None:
        with pytest.raises(Exception, match="MemoryError"):
            await invoke(pool, b'{"bytes": 600000000}')
        assert await invoke(pool, b'{"bytes": 1000}') == b"1000"

    play(lambda: bench.pool(index, memory=256 * 2**20), scene)


def test_instances_share_the_memory_that_the_package_was_loaded_into(bench: Bench) -> None:
    index = """
import os
blob = None
def init(context):
    global blob
    blob = os.urandom(64 * 2**20)
def index(event, context):
    return [os.getpid(), len(blob)]
"""

    async def scene(pool: Pool) -> None:
        await invoke(pool)
        await until(lambda: len(idle(pool)) == 3, "three instances")
        private = [psutil.Process(pid).memory_full_info().uss / 2**20 for pid in idle(pool)]
        assert max(private) < 32, private

    play(lambda: bench.pool(index, instances=3), scene)


def test_an_instance_killed_by_its_own_function_is_replaced_and_others_are_not(bench: Bench) -> None:
    index = "import os\ndef index(event, context):\n    if event: os._exit(3)\n    return os.getpid()\n"

    async def scene(pool: Pool) -> None:
        await until(lambda: len(idle(pool)) == 2, "two")
        before = set(idle(pool))
        with pytest.raises(Exception, match="exit code 3"):
            await invoke(pool, b"1")
        await until(lambda: len(idle(pool)) == 2, "two again")
        assert len(before & set(idle(pool))) == 1

    play(lambda: bench.pool(index, instances=2), scene)


def test_thirty_instances_that_exit_leave_the_arbiter_running(bench: Bench) -> None:
    index = "import os\ndef index(event, context):\n    os._exit(event)\n"

    async def scene(pool: Pool) -> None:
        arbiter = {psutil.Process(pid).ppid() for pid in idle(pool)}
        outcomes = await asyncio.gather(
            *(pool.submit(Event(b"%d" % (3 + number % 2))) for number in range(30)), return_exceptions=True
        )
        assert all("exit code" in str(outcome) for outcome in outcomes)
        await until(lambda: idle(pool), "one is ready")
        assert {psutil.Process(pid).ppid() for pid in idle(pool)} == arbiter

    play(lambda: bench.pool(index, instances=4), scene)


def test_a_stopped_arbiter_is_found_out_by_its_silence_and_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.arbiter.PING_EVERY", 0.1)
    index = "import os\ndef index(event, context):\n    return os.getppid()\n"

    async def scene(pool: Pool) -> None:
        arbiter = int(await invoke(pool) or b"")
        os.kill(arbiter, signal.SIGSTOP)
        await until(lambda: not psutil.pid_exists(arbiter), "it is killed")
        assert int(await invoke(pool) or b"") != arbiter

    play(lambda: bench.pool(index), scene)


def test_a_process_that_outlives_its_pool_is_found_by_its_mark(bench: Bench) -> None:
    index = """
import subprocess, sys
def index(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return child.pid
"""
    pids: list[int] = []

    async def scene(pool: Pool) -> None:
        pids.append(int(await invoke(pool) or b""))

    play(lambda: bench.pool(index), scene)
    child = psutil.Process(pids[0])
    assert kill_leftovers(bench.owner) == 1
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "it is killed")


def test_what_an_instance_prints_below_python_reaches_the_log(bench: Bench) -> None:
    index = (
        "import os\ndef index(event, context):\n    os.write(1, b'from below\\n')\n    print('from above')\n"
    )

    async def scene(pool: Pool) -> None:
        answer = await pool.submit(event := Event(b"{}"))
        assert answer.body is None
        await until(lambda: len(bench.lines) >= 2, "both lines")
        found = {line.line: (line.level, line.id) for line in bench.lines}
        assert found == {"from below": ("stderr", ""), "from above": ("info", event.id)}

    play(lambda: bench.pool(index), scene)


def test_an_interpreter_that_is_not_there_is_named_and_tried_again(bench: Bench) -> None:
    async def scene() -> None:
        index = "def index(event, context):\n    return 1\n"
        python = bench.folder / "python"
        pool = bench.pool(index, python=python)
        try:
            with pytest.raises(BootError, match="python cannot be started: No such file"):
                await asyncio.wait_for(pool.start(), PATIENCE)
            python.symlink_to(sys.executable)
            assert (await asyncio.wait_for(invoke(pool), PATIENCE)) == b"1"
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_a_package_that_ends_its_process_at_import_is_a_failed_start_whatever_its_exit_code(
    bench: Bench,
) -> None:
    async def scene() -> None:
        pool = bench.pool("import os\nos._exit(0)\n")
        try:
            with pytest.raises(BootError, match="exit code 0"):
                await asyncio.wait_for(pool.start(), PATIENCE)
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_a_pool_that_is_stopped_while_it_starts_says_so_to_who_waits(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool("import time\ntime.sleep(60)\n")
        starting = asyncio.ensure_future(pool.start())
        await until(lambda: pool.view().state == "starting", "it starts")
        await pool.stop()
        with pytest.raises(BootError, match="stopped"):
            await asyncio.wait_for(starting, PATIENCE)

    asyncio.run(scene())


def test_events_that_wait_are_worked_off_although_the_pool_is_scaled_to_nothing(bench: Bench) -> None:
    index = "import time\ndef index(event, context):\n    time.sleep(0.2)\n    return event\n"

    async def scene(pool: Pool) -> None:
        futures = [pool.submit(Event(b"%d" % number)) for number in range(4)]
        await until(lambda: pool.view().in_flight == 1, "one runs")
        pool.scale(0)
        assert [(await future).body for future in futures] == [b"0", b"1", b"2", b"3"]

    play(lambda: bench.pool(index), scene)


def test_a_flood_of_empty_lines_from_below_python_costs_the_host_little(bench: Bench) -> None:
    index = """
import os
def index(event, context):
    for _ in range(200):
        os.write(1, b"\\n" * 65536)
"""

    async def scene(pool: Pool) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await pool.submit(Event(b"{}"))
        most = pool.spec.bounds.log_rate * (BURST + loop.time() - began) / LINE_COST
        assert 1000 < len(bench.lines) <= most + 10

    play(lambda: bench.pool(index, timeout=60.0), scene)


def test_metadata_of_a_trigger_are_encoded_once_and_cannot_pass_for_the_hosts_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []

    def encode(trigger: str, source: str, meta: dict[str, object]) -> bytes:
        encoded.append(trigger)
        return encode_metadata(trigger, source, meta)

    monkeypatch.setattr("runtime.events.encode_metadata", encode)
    index = """
def index(event, context):
    told = context.event
    return [told.id == context.request_id, told.topic, told.timestamp > 5, told.source, context.trigger.kind]
"""

    async def scene(pool: Pool) -> None:
        meta: dict[str, object] = {"id": "other", "timestamp": 5, "content_type": "x", "topic": "t", "odd": 1}
        dispatcher = Dispatcher()
        dispatcher.route("f", pool)
        answer = await dispatcher.dispatch("f", Event(b"{}", None, "opcua", "line1", meta))
        assert answer.body == b'[true, "t", true, "line1", "opcua"]'
        assert encoded == ["opcua"]

    play(lambda: bench.pool(index), scene)


THREADED = """
import os, threading
held = threading.Event()
thread = threading.Thread(target=held.wait, daemon=True)
thread.start()
loaded_in = os.getpid()
def index(event, context):
    return loaded_in != os.getpid()
"""


def test_a_package_that_starts_threads_is_forked_all_the_same_where_its_author_says_so(bench: Bench) -> None:
    async def scene(pool: Pool) -> None:
        assert await invoke(pool) == b"true"
        await until(lambda: bench.lines, "the log tells")
        assert [line.line for line in bench.lines] == [
            "forked nevertheless, as `preload: always` says: loading it started 1 thread"
        ]

    play(lambda: bench.pool(THREADED, check_fork=False), scene)


@pytest.mark.skipif(os.cpu_count() == 1, reason="OpenBLAS starts a thread per core")
def test_threads_that_a_numeric_library_starts_in_c_are_seen_before_a_fork(bench: Bench) -> None:
    pytest.importorskip("numpy")
    index = (
        "import os, numpy\nhere = os.getpid()\ndef index(event, context):\n    return here == os.getpid()\n"
    )

    async def scene(pool: Pool) -> None:
        assert await invoke(pool) == b"true"
        await until(lambda: bench.lines, "the log tells")
        assert bench.lines[0].line == "not preloaded but loaded per instance: loading it started 1 thread"

    play(lambda: bench.pool(index, env={"OPENBLAS_NUM_THREADS": "2"}), scene)


@pytest.fixture
def crowd_of_files() -> Iterator[None]:
    """As many open files as select(2) can number: what is opened from now on has a higher one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    with contextlib.ExitStack() as stack:
        while stack.enter_context(open(os.devnull, "rb")).fileno() < 1100:
            pass
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("crowd_of_files")
def test_a_host_with_a_thousand_open_files_starts_pools_all_the_same(bench: Bench) -> None:
    async def scene(pool: Pool) -> None:
        assert await invoke(pool, b'{"t": 1}') == b'{"t": 1}'

    play(lambda: bench.pool("def index(event, context):\n    return event\n"), scene)
