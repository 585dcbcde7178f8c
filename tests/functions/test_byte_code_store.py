"""Byte code of wheels is compiled once, from sources that are what their digests say."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from functions import byte_code_store
from functions.byte_code_store import ByteCodeStore
from tests.functions.wheelhouse import digest_of

TAG = sys.implementation.cache_tag
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def install(folder: Path, **sources: str) -> Path:
    """An environment with one wheel of these modules; returns its site-packages."""
    site = folder / "lib" / VERSION / "site-packages"
    (site / "some-1.dist-info").mkdir(parents=True)
    rows = []
    for name, source in sources.items():
        (site / f"{name}.py").write_text(source)
        rows.append(f"{name}.py,sha256={digest_of(source.encode())},{len(source)}\n")
    record = "".join(rows) + 'not a row\n"../up.py",sha256=x,1\n/tmp/absolute.py,sha256=x,1\n'
    (site / "some-1.dist-info" / "RECORD").write_text(record)
    return site


def run(site: Path, code: str) -> str:
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def keep(store: ByteCodeStore, environment: Path, *names: str) -> None:
    site = environment / "lib" / VERSION / "site-packages"

    async def scene() -> None:
        store.begin_keep(Path(sys.executable), environment, [str(site / f"{name}.py") for name in names])
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(scene())


def test_what_one_environment_has_imported_the_next_one_need_not_compile(tmp_path: Path) -> None:
    sources = {"used": "def f():\n    return __file__, f.__code__.co_filename\n", "unused": "x = 1\n"}
    store = ByteCodeStore(tmp_path / "store")
    first = install(tmp_path / "first", **sources)
    assert store.link(tmp_path / "first") == 0
    keep(store, tmp_path / "first", "used", "absent")
    assert [each.name for each in first.rglob("*.pyc")] == [f"used.{TAG}.pyc"], "for its own next start"
    second = install(tmp_path / "second", **sources)
    assert store.link(tmp_path / "second") == 1
    (pyc,) = second.rglob("*.pyc")
    assert pyc.name == f"used.{TAG}.pyc" and pyc.stat().st_nlink == 3
    told = run(second, "import used; print(used.__cached__, *used.f())").split()
    assert told == [str(pyc), str(second / "used.py"), str(second / "used.py")]
    assert pyc.stat().st_nlink == 3, "Python took it as it was"


def test_a_source_that_is_not_what_its_digest_says_is_not_kept(tmp_path: Path) -> None:
    site = install(tmp_path / "env", changed="x = 1\n", broken="x = (\n")
    (site / "changed.py").write_text("x = 'somebody has been here'\n")
    keep(ByteCodeStore(tmp_path / "store"), tmp_path / "env", "changed", "broken")
    assert os.listdir(tmp_path / "store" / VERSION) == []


def test_beyond_its_bound_the_store_lets_go_of_what_no_environment_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ByteCodeStore(tmp_path / "store")
    for name in ("first", "second"):
        install(tmp_path / name, module=f"x = '{name}'\n")
        keep(store, tmp_path / name, "module")
        if name == "second":
            shutil.rmtree(tmp_path / name)
    install(tmp_path / "third", module="x = 'first'\n")
    store.link(tmp_path / "third")
    monkeypatch.setattr(byte_code_store, "MOST_FILES", 1)
    keep(store, tmp_path / "third", "module")
    assert os.listdir(tmp_path / "store" / VERSION) == [digest_of(b"x = 'first'\n")]
