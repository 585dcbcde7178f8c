"""The registry numbers revisions, keeps aliases, and forgets nothing that it has acknowledged."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.registry import MIGRATIONS, Registry, Revision, Stored


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "r.db")
    yield registry
    registry.close()


def test_revisions_are_numbered_by_function(registry: Registry) -> None:
    first, new = registry.add_revision("水泵", "a1", "{}")
    second, _ = registry.add_revision("水泵", "b2", '{"x": 1}')
    other, _ = registry.add_revision("trend", "a1", "{}")
    assert new and (first.number, second.number, other.number) == (1, 2, 1)
    assert first.state == "building" and first.error is None and first.created > 0
    assert list(registry.functions()) == ["trend", "水泵"]
    assert registry.functions()["水泵"].revisions == {1: first, 2: second}
    assert registry.functions()["trend"].revisions == {1: other}


def test_the_same_package_is_the_same_revision(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    registry.set_state("f", 1, "ready", None)
    again, new = registry.add_revision("f", "a1", "{}")
    assert not new and again.number == 1 and again.state == "ready"


def test_a_failed_package_is_tried_again_under_its_number(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    registry.set_state("f", 1, "failed", "no six")
    failed = registry.functions()["f"].revisions[1]
    assert (failed.state, failed.error) == ("failed", "no six")
    again, new = registry.add_revision("f", "a1", '{"y": 2}')
    assert not new and again.number == 1
    assert (again.state, again.error, again.manifest_json) == ("building", None, '{"y": 2}')


def test_numbers_are_not_given_out_again_after_a_removal(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    registry.set_alias("f", "live", 1)
    registry.set_instances("f", 3)
    registry.remove("f")
    assert registry.functions() == {}
    again, new = registry.add_revision("f", "a1", "{}")
    assert new and again.number == 2
    assert registry.functions() == {"f": Stored({2: again})}


def test_an_alias_points_at_one_revision(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    registry.add_revision("f", "b2", "{}")
    assert registry.functions()["f"].aliases == {}
    registry.set_alias("f", "live", 1)
    registry.set_alias("f", "live", 2)
    registry.set_alias("f", "canary", 1)
    assert registry.functions()["f"].aliases == {"canary": 1, "live": 2}


def test_the_number_of_instances_is_set_and_unset(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    assert registry.functions()["f"].instances is None
    registry.set_instances("f", 0)
    assert registry.functions()["f"].instances == 0
    registry.set_instances("f", None)
    assert registry.functions()["f"].instances is None


def test_what_is_not_there_cannot_be_changed(registry: Registry) -> None:
    registry.add_revision("gone", "a1", "{}")
    registry.remove("gone")
    with pytest.raises(LookupError, match="gone@1"):
        registry.set_state("gone", 1, "ready", None)
    with pytest.raises(LookupError, match="gone@1"):
        registry.set_alias("gone", "live", 1)
    with pytest.raises(LookupError, match="gone"):
        registry.set_instances("gone", 1)


def test_only_what_was_being_built_has_failed_after_a_stop(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    registry.set_state("f", 1, "ready", None)
    registry.add_revision("f", "b2", "{}")
    registry.fail_unfinished("cut off")
    told = [(each.state, each.error) for each in registry.functions()["f"].revisions.values()]
    assert told == [("ready", None), ("failed", "cut off")]


def test_equal_manifests_are_one_object_in_memory(registry: Registry) -> None:
    for name in ("f", "g"):
        registry.add_revision(name, "a1", '{"name": "the same"}')
    f, g = (stored.revisions[1] for stored in registry.functions().values())
    assert f.manifest_json is g.manifest_json and f.sha256 is g.sha256


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    first = Registry(tmp_path / "r.db")
    revision, _ = first.add_revision("f", "a1", "{}")
    first.set_alias("f", "live", 1)
    first.close()
    second = Registry(tmp_path / "r.db")
    assert second.functions() == {"f": Stored({1: revision}, {"live": 1})}
    second.close()


def test_a_failed_call_leaves_no_transaction_open(registry: Registry) -> None:
    registry.add_revision("f", "a1", "{}")
    with pytest.raises(sqlite3.IntegrityError):
        registry.set_state("f", 1, "perhaps", None)  # type: ignore[arg-type]
    registry.set_state("f", 1, "ready", None)


def test_threads_get_numbers_of_their_own(registry: Registry) -> None:
    numbers: list[int] = []

    def add(worker: int) -> None:
        numbers.extend(registry.add_revision("f", f"{worker}-{n}", "{}")[0].number for n in range(10))

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(numbers) == list(range(1, 41))


def test_commits_reach_the_disk_before_they_return(registry: Registry, tmp_path: Path) -> None:
    assert registry._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert registry._database.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_database_of_a_newer_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(sqlite3.DatabaseError, match="newer fnhost"):
        Registry(path)


def test_a_package_with_another_base_is_another_revision(registry: Registry) -> None:
    plain, _ = registry.add_revision("f", "a1", "{}")
    based, new = registry.add_revision("f", "a1", "{}", "numpy")
    assert new and (plain.number, based.number) == (1, 2)
    assert (plain.base, based.base) == ("", "numpy")
    again, new = registry.add_revision("f", "a1", "{}", "numpy")
    assert not new and again == based


def test_a_queue_from_before_it_had_a_bound_is_as_long_as_it_may_be(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "r.db") as old:
        old.executescript(f"{MIGRATIONS[0]}; {MIGRATIONS[1]}; PRAGMA user_version = 2")
        for number, queue in ((1, 5), (2, 100_001)):
            manifest = f'{{"queue":{queue},"name":"泵"}}'
            row = ("f", number, f"a{number}", "", manifest, "ready", None, 1.5)
            old.execute("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    old.close()
    registry = Registry(tmp_path / "r.db")
    kept = [each.manifest_json for each in registry.functions()["f"].revisions.values()]
    registry.close()
    assert kept == ['{"queue":5,"name":"泵"}', '{"queue":100000,"name":"泵"}']


def test_a_database_from_before_there_were_base_sets_is_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "r.db") as old:
        old.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
        old.execute("INSERT INTO functions VALUES ('f', 1, NULL)")
        old.execute("INSERT INTO revisions VALUES ('f', 1, 'a1', '{}', 'ready', NULL, 1.5)")
        old.execute("INSERT INTO aliases VALUES ('f', 'live', 1)")
    old.close()
    registry = Registry(tmp_path / "r.db")
    try:
        revision = Revision("f", 1, "a1", "", "{}", "ready", None, 1.5)
        assert registry.functions() == {"f": Stored({1: revision}, {"live": 1})}
        assert registry.add_revision("f", "a1", "{}")[0].number == 1
        with pytest.raises(LookupError):
            registry.set_alias("f", "live", 7)
        registry.remove("f")
    finally:
        registry.close()
