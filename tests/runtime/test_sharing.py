"""Functions in subinterpreters: what they share, what they do not, and what one does to the others."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.boot import BootError
from runtime.events import Answer, DeadlinePassedError, Event, InstanceDiedError
from runtime.loglines import LogLine
from runtime.overlay import Overlay, prepare_overlay
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from runtime.sharing import shared_process
from runtime.sharing.register import Register
from runtime.spec import BatchRule, PoolSpec, ScaleRule
from tests.hosts import see_none_left
from tests.newer_python import find_newer
from tests.runtime.test_pool import AMPLE, PATIENCE, until

COUNT = """
import os, sys
count = 0

def index(event, context):
    global count
    count += 1
    print(f"event {count} of", context.function_name)
    return {"pid": os.getpid(), "count": count, "cwd": os.getcwd(), "function": os.environ["FNHOST_FUNCTION"]}
"""
WAIT = """
import os, time

def index(event, context):
    open(f"{context.output_dir}/begun-{event['n']}", "w").close()
    while not os.path.exists(event["until"]):
        if not event.get("busy"):
            time.sleep(0.01)
    return {"pid": os.getpid(), "n": event["n"]}
"""
WRAPPED = """
try:
    import faulthandler
except ImportError as error:
    raise ImportError(f"PLEASE look: {error}") from None
"""
MEDDLE = """
import os, socket, stat

def index(event, context):
    for name in os.listdir("/proc/self/fd"):
        try:
            is_socket = stat.S_ISSOCK(os.fstat(int(name)).st_mode)
        except OSError:
            continue
        if not is_socket:
            continue
        with socket.socket(fileno=os.dup(int(name))) as channel:
            if channel.type == socket.SOCK_SEQPACKET:
                channel.send(event.encode())
    return "told"
"""
EXIT = "import os\ndef index(event, context):\n    os._exit(7) if event else None\n    return os.getpid()\n"


class House:
    """Makes pools of packages written on the spot that share their processes, and stops them all."""

    def __init__(self, folder: Path, overlay: Overlay, python: Path) -> None:
        self.folder = folder
        self.owner = f"test-{os.urandom(8).hex()}"
        self.lines: list[LogLine] = []
        self.pools: list[Pool] = []
        (folder / "home").mkdir()
        register = Register(folder / "home", (folder,))
        self.workshop = Workshop(overlay, self.owner, self.lines.append, shared=register)
        self._python = python

    def pool(self, name: str, index: str, instances: int | None = 1, **changes: Any) -> Pool:
        package = self.folder / f"{name}-{len(self.pools)}"
        package.mkdir()
        (package / "index.py").write_text(index, encoding="utf-8")
        output = self.folder / "home" / name
        settings: dict[str, Any] = {"python": self._python, "isolation": "subinterpreter", **changes}
        spec = PoolSpec(name, len(self.pools) + 1, "", package_dir=package, output_dir=output, **settings)
        loop = asyncio.get_running_loop()
        pool = Pool(spec, self.workshop, Scaler(loop, Sampler(loop), AMPLE), instances)
        self.pools.append(pool)
        return pool

    async def started(self, name: str, index: str, instances: int | None = 1, **changes: Any) -> Pool:
        pool = self.pool(name, index, instances, **changes)
        try:
            await pool.start()
        except BootError:
            # As a deploy does: it would be tried again and again.
            await pool.stop()
            raise
        return pool

    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        """Play it, within its time; afterwards all pools are stopped."""

        async def run() -> None:
            try:
                await asyncio.wait_for(scene(), PATIENCE)
            finally:
                for pool in self.pools:
                    await pool.stop()

        asyncio.run(run())

    def begun(self, pool: Pool, number: int) -> Path:
        """The file that an event leaves when it has begun."""
        return pool.spec.output_dir / f"begun-{number}"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """The overlay folders, made once."""
    return prepare_overlay(tmp_path_factory.mktemp("overlay"))


@pytest.fixture(scope="module")
def python() -> Path:
    """One that has subinterpreters."""
    return find_newer()


@pytest.fixture
def house(tmp_path: Path, overlay: Overlay, python: Path) -> Iterator[House]:
    """A house that leaves no process behind."""
    made = House(tmp_path, overlay, python)
    yield made
    see_none_left(made.owner)


async def ask(pool: Pool, event: object = None) -> Any:
    answer = await pool.submit(Event(json.dumps(event).encode()))
    return json.loads(answer.body or b"null")


def begin(pool: Pool, event: object) -> "asyncio.Future[Answer]":
    return pool.submit(Event(json.dumps(event).encode()))


def pid_of(pool: Pool) -> int:
    return next(each.pid for each in pool.view().instances if each.pid)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_functions_share_a_process_and_nothing_that_they_keep(house: House) -> None:
    async def scene() -> None:
        first, second = await house.started("one", COUNT), await house.started("two", COUNT)
        answers = [await ask(pool) for pool in (first, second, first)]
        assert len({each["pid"] for each in answers}) == 1
        assert [each["count"] for each in answers] == [1, 1, 2]
        assert [each["function"] for each in answers] == ["one", "two", "one"]
        assert {each["cwd"] for each in answers} == {str(pool.spec.package_dir) for pool in (first, second)}
        assert first.sharers == second.sharers == 2, "each is charged with its share of the memory"
        assert [len(set(pool.pids())) for pool in (first, second)] == [2, 2]

    house.play(scene)
    told = {(line.revision, line.line, bool(line.id)) for line in house.lines}
    assert told == {("one@1", "event 1 of one", True), ("one@1", "event 2 of one", True)} | {
        ("two@2", "event 1 of two", True)
    }


def test_two_functions_compute_at_the_same_time(house: House) -> None:
    async def scene() -> None:
        first, second = await house.started("one", WAIT), await house.started("two", WAIT)
        # Neither ends before the other has begun, and both keep their GIL: one of all could not do that.
        answers = await asyncio.gather(
            ask(first, {"n": 1, "until": str(house.begun(second, 2)), "busy": True}),
            ask(second, {"n": 2, "until": str(house.begun(first, 1)), "busy": True}),
        )
        assert len({each["pid"] for each in answers}) == 1

    house.play(scene)


def test_a_deadline_costs_the_process_and_no_event_of_others_that_had_not_begun(house: House) -> None:
    async def scene() -> None:
        gate = house.folder / "gate"
        stuck = await house.started("stuck", WAIT, timeout=1.0)
        other = await house.started("other", WAIT, idempotent=True)
        last = await house.started("last", WAIT)
        before = pid_of(other)
        begun = [begin(pool, {"n": 1, "until": str(gate)}) for pool in (other, last)]
        waiting = begin(last, {"n": 2, "until": str(last.spec.package_dir)})
        await until(lambda: house.begun(other, 1).exists() and house.begun(last, 1).exists(), "they run")
        with pytest.raises(DeadlinePassedError, match="stopped"):
            await begin(stuck, {"n": 1, "until": str(gate), "busy": True})
        with pytest.raises(InstanceDiedError, match="shared its process with stuck@1: "):
            await begun[1]
        gate.touch()
        assert json.loads((await begun[0]).body or b"")["pid"] != before, "it is run again"
        assert json.loads((await waiting).body or b"")["n"] == 2
        assert (await ask(stuck, {"n": 3, "until": str(gate)}))["pid"] != pid_of(other), "it lives apart now"
        assert pid_of(other) == pid_of(last)

    house.play(scene)
    where = [line for line in house.lines if "index.py" in line.line]
    assert {line.revision for line in where} == {"stuck@1"}, "its stack at the deadline is in its own log"


def test_a_function_that_ends_the_process_is_named_to_its_own_caller_only(house: House) -> None:
    async def scene() -> None:
        wild, calm = await house.started("wild", EXIT), await house.started("calm", COUNT)
        with pytest.raises(InstanceDiedError, match="exit code 7"):
            await ask(wild, 1)
        assert (await ask(calm))["count"] == 1
        assert await ask(wild, 0) != pid_of(calm)
        assert all(pool.view().last_error is None for pool in (wild, calm))

    house.play(scene)


def test_a_function_that_speaks_for_the_process_gains_nothing(house: House) -> None:
    async def scene() -> None:
        calm, wild = await house.started("calm", COUNT), await house.started("wild", MEDDLE)
        before = pid_of(calm)
        assert await ask(wild, '{"op": "exited", "slot": 1, "status": 9}') == "told"
        # The instance that is said to have ended is replaced, and nobody is harmed.
        await until(lambda: calm.view().instances and calm.view().instances[0].slot > 1, "another one")
        assert (await ask(calm))["pid"] == before
        for nonsense in ('{"slot": 1e999, "status": 0}', "["):
            before = pid_of(calm)
            with pytest.raises(InstanceDiedError):
                while True:
                    await ask(wild, nonsense)
            assert (await ask(calm))["count"] >= 1
            await until(lambda: wild.view().instances, "it is tried again")
        assert calm.view().last_error is None

    house.play(scene)


def test_one_that_ends_the_process_while_it_starts_stops_no_other_from_starting(house: House) -> None:
    async def scene() -> None:
        calm = await house.started("calm", COUNT)
        with pytest.raises(BootError, match="exit code 7"):
            await house.started("wild", "import os\nos._exit(7)\ndef index(event, context): pass\n")
        assert (await ask(calm))["count"] == 1
        assert calm.view().last_error is None

    house.play(scene)


def test_a_new_revision_takes_over_in_the_same_process(house: House) -> None:
    async def scene() -> None:
        neighbour, old = await house.started("n", COUNT), await house.started("f", COUNT)
        new = await house.started("f", COUNT)
        await old.drain(5)
        assert {pid_of(new)} == {pid_of(neighbour)}
        assert (await ask(new))["count"] == 1
        await new.stop()
        await until(lambda: neighbour.sharers == 1, "only one is left")
        assert (await ask(neighbour))["count"] == 1

    house.play(scene)


def test_the_process_ends_with_its_last_function_and_comes_again(house: House) -> None:
    async def scene() -> None:
        idle = ScaleRule(0, 4, idle=0.0, keep_warm=0.0)
        pools = [house.pool(name, COUNT, None, scale=idle) for name in ("one", "two")]
        first = {(await ask(pool))["pid"] for pool in pools}
        await until(lambda: all(pool.view().temperature == "cold" for pool in pools), "both are cold")
        await until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in first), "it has ended")
        assert (await ask(pools[0]))["pid"] not in first

    house.play(scene)


def test_several_instances_of_one_function_are_in_one_process(house: House) -> None:
    async def scene() -> None:
        pool = await house.started("one", WAIT, 2)
        events = [{"n": n, "until": str(house.begun(pool, 3 - n))} for n in (1, 2)]
        answers = await asyncio.gather(*(ask(pool, event) for event in events))
        assert len({each["pid"] for each in answers}) == 1

    house.play(scene)


@pytest.mark.parametrize(("bound", "count"), [("WORN_AFTER", 1), ("MOST_OPENED", 2)])
def test_a_process_that_has_had_enough_of_them_takes_no_more_functions(
    house: House, monkeypatch: pytest.MonkeyPatch, bound: str, count: int
) -> None:
    monkeypatch.setattr(shared_process, bound, count)

    async def scene() -> None:
        stays, goes = await house.started("stays", COUNT), await house.started("goes", COUNT)
        before = pid_of(stays)
        arbiter = parent_of(before)
        await goes.stop()
        await until(lambda: stays.pids()[0] not in (arbiter, before), "there is a fresh one")
        assert (await ask(stays))["pid"] == before, "an instance stays where it is"
        after = await house.started("after", COUNT)
        assert pid_of(after) != before

    house.play(scene)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("import faulthandler\n", {}, r"faulthandler is an extension module .* `isolation: process`"),
    (WRAPPED, {}, r"^faulthandler is an extension module .* `isolation: process`"),
    ("def index(event, context): pass", {"concurrency": 2}, "`concurrency` of a plain function"),
    ("def index(event, context): pass", {"memory": 2**30, "processes": 1}, "`memory` and `processes`"),
    ("def index(event, context): 1 / 0\n1 / 0", {}, "ZeroDivisionError"),
    ("import sys\nsys.exit(3)", {}, "SystemExit: 3"),
]


def test_what_cannot_run_in_a_subinterpreter_is_refused_with_the_reason(house: House) -> None:
    async def scene() -> None:
        calm = await house.started("calm", COUNT)
        before = pid_of(calm)
        for index, changes, told in REFUSED:
            with pytest.raises(BootError, match=told):
                await house.started("one", index, **changes)
        assert (await ask(calm))["pid"] == before, "nobody else has noticed"

    house.play(scene)


def test_coroutines_streams_and_batches_run_as_they_do_elsewhere(house: House) -> None:
    async def scene() -> None:
        waits = (
            "import asyncio\nasync def index(event, context):\n    await asyncio.sleep(0)\n    return event\n"
        )
        pool = await house.started("async", waits, concurrency=4)
        assert await asyncio.gather(*(ask(pool, n) for n in range(8))) == list(range(8))
        sums = "def index_batch(events, context):\n    return [event + 1 for event in events]\n"
        pool = await house.started("batch", sums, batch=BatchRule(4))
        assert await asyncio.gather(*(ask(pool, n) for n in range(8))) == list(range(1, 9))
        pool = await house.started("stream", "def index(event, context):\n    yield from 'abc'\n")
        assert (await pool.submit(Event(b"1"))).body == b"abc"

    house.play(scene)


def test_one_of_which_too_much_is_to_be_told_does_not_start_and_harms_no_other(house: House) -> None:
    async def scene() -> None:
        calm = await house.started("calm", COUNT)
        before = (await ask(calm))["pid"]
        with pytest.raises(BootError, match="control message of"):
            await house.started("large", COUNT, env={"X": "x" * 100_000})
        again = await house.started("again", COUNT)
        assert (await ask(again))["pid"] == (await ask(calm))["pid"] == before

    house.play(scene)


def test_an_older_python_is_refused_with_the_remedy(house: House) -> None:
    async def scene() -> None:
        with pytest.raises(BootError, match=r"needs Python 3\.13 or newer"):
            await house.started("one", COUNT, python=Path(sys.executable))

    if sys.version_info >= (3, 13):
        pytest.skip("the tests' own Python is new enough")
    house.play(scene)
