"""The catalog by itself: which pool a function has when several things change at once, or fail."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from conf.funcs import Func
from functions.manifest import read_manifest
from functions.registry import Registry
from host.deployment import draining
from host.deployment.additions import Additions
from host.deployment.catalog import Catalog, Grounds
from host.deployment.files import RevisionFiles
from host.state import StateDir
from runtime import arbiter
from runtime.dispatch.dispatcher import Dispatcher
from runtime.events import Event, InvocationError, UnavailableError
from runtime.overlay import Overlay, prepare_overlay
from runtime.process import Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from tests.hosts import see_none_left
from tests.mqtt.clients import until
from triggers.store.failpoints import Failpoints

AMPLE = 2**40
SLOW = "import time\ndef index(event, context):\n    time.sleep(100)\n"


class Bench:
    """A state folder with the function `f`: two ready revisions without interpreters, the second one live."""

    def __init__(self, folder: Path) -> None:
        self.state = StateDir(folder)
        self.state.lock()
        self.registry = Registry(self.state.registry)
        self.dispatcher = Dispatcher()
        for number in (1, 2):
            self.registry.add_revision("f", f"package{number}", read_manifest("").model_dump_json())
            self.registry.set_state("f", number, "ready", None)
        self.registry.set_alias("f", "live", 2)

    def give_interpreter(self, number: int, code: str) -> None:
        """From now on this revision starts."""
        package, python = self.state.package(f"package{number}"), self.state.environment("f", number) / "bin"
        package.mkdir()
        (package / "index.py").write_text(code, encoding="utf-8")
        python.mkdir(parents=True)
        (python / "python").symlink_to(sys.executable)

    def play(self, scene: Callable[[Catalog], Awaitable[None]], overlay: Overlay | None = None) -> None:
        """Run the scene with a catalog that is stopped at its end."""

        async def run() -> None:
            sampler = Sampler(asyncio.get_running_loop())
            scaler = Scaler(asyncio.get_running_loop(), sampler, AMPLE)
            catalog = Catalog(self._grounds(scaler, overlay or Overlay(*[self.state.root] * 3)))
            catalog.load()
            try:
                await asyncio.wait_for(scene(catalog), 60)
            finally:
                await asyncio.wait_for(catalog.stop(), 60)
                scaler.stop()
                sampler.stop()

        asyncio.run(run())

    def _grounds(self, scaler: Scaler, overlay: Overlay) -> Grounds:
        state, registry, dispatcher = self.state, self.registry, self.dispatcher
        workshop = Workshop(overlay, state.owner(), lambda line: None)
        files = RevisionFiles(state, registry)
        return Grounds(state, registry, files, workshop, dispatcher, scaler, Additions(), Failpoints())

    def close(self) -> None:
        """Free the folder; there is no process left."""
        see_none_left(self.state.owner())
        self.registry.close()
        self.state.unlock()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench that leaves no process behind."""
    made = Bench(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """The overlay folders, made once."""
    return prepare_overlay(tmp_path_factory.mktemp("overlay"))


def changed(**settings: object) -> Additions:
    """A config that says this of `f`."""
    return Additions({"f": Func.model_validate({"modelName": "f", **settings})})


def test_a_number_of_instances_told_while_another_revision_starts_holds_for_that_one(bench: Bench) -> None:
    async def scene(catalog: Catalog) -> None:
        revision = catalog.get("f").revisions[1]
        pool = catalog.make_pool(revision)
        await catalog.scale("f", 0)
        await catalog.switch(revision, pool)
        assert pool.fixed == 0
        later = catalog.get("f").revisions[2]
        await asyncio.gather(catalog.scale("f", None), catalog.switch(later, catalog.make_pool(later)))
        live = catalog.get("f").live_pool
        assert live is not None
        assert (live.label, live.fixed) == ("f@2", None)

    bench.play(scene)


def test_sleeping_pools_have_new_settings_without_being_started(bench: Bench) -> None:
    async def scene(catalog: Catalog) -> None:
        event = Event(b"{}")
        before = [bench.dispatcher.find(target, event) for target in ("f", "f@1")]
        assert await catalog.reconfigure(changed()) == []
        assert [bench.dispatcher.find(target, event) for target in ("f", "f@1")] == before
        # Without an interpreter, a start would fail and be told.
        assert await catalog.reconfigure(changed(timeout="7s")) == []
        pools = [bench.dispatcher.find(target, event) for target in ("f", "f@live", "f@1")]
        assert [(pool.label, pool.spec.timeout) for pool in pools] == [("f@2", 7), ("f@2", 7), ("f@1", 7)]
        assert all(pool.is_asleep for pool in pools)

    bench.play(scene)


def test_a_function_without_its_folder_is_unavailable_until_it_can_have_it(bench: Bench) -> None:
    output = bench.state.output

    async def scene(catalog: Catalog) -> None:
        output.rmdir()
        output.touch()
        with pytest.raises(UnavailableError, match=r"f@2 cannot have its folder: .*output/f"):
            bench.dispatcher.find("f", Event(b"{}"))
        assert bench.dispatcher.knows("f")
        output.unlink()
        pool = bench.dispatcher.find("f", Event(b"{}"))
        output.joinpath("f").rmdir()
        output.rmdir()
        output.touch()
        (told,) = await catalog.reconfigure(changed(timeout="7s"))
        assert told.startswith("f goes on with its old settings: ")
        assert bench.dispatcher.find("f", Event(b"{}")) is pool

    bench.play(scene)


def test_a_function_that_is_kept_hot_comes_up_after_a_start_that_failed(
    bench: Bench, overlay: Overlay
) -> None:
    bench.registry.set_instances("f", 2)

    async def scene(catalog: Catalog) -> None:
        await catalog.begin()
        pool = catalog.get("f").live_pool
        assert pool is not None and pool.view().last_error is not None
        bench.give_interpreter(2, "def index(event, context):\n    return 1\n")
        await until(lambda: len(pool.view().instances) == 2, "both instances run")
        assert catalog.decisions("f"), "the scaler looks after it"

    bench.play(scene, overlay)


def test_a_pool_that_drains_keeps_the_host_no_longer_than_another(
    bench: Bench, overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "LONGEST_AT_STOP", 0.1)
    monkeypatch.setattr(arbiter, "END_GRACE", 0.1)
    bench.give_interpreter(2, SLOW)

    async def scene(catalog: Catalog) -> None:
        answer = bench.dispatcher.dispatch("f", Event(b"{}"))
        pool = catalog.get("f").live_pool
        assert pool is not None
        await until(lambda: pool.view().in_flight == 1, "it runs")
        other = catalog.get("f").revisions[1]
        await catalog.switch(other, catalog.make_pool(other))
        await catalog.stop()
        assert isinstance(answer.exception(), InvocationError)

    bench.play(scene, overlay)
