"""The bounds of a host: at the limit a thing passes, above it a clear error names limit and setting."""

import asyncio
import json
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from conf.limits import Limits
from conf.units import parse_size
from host.deployment.room import NoRoomError, Room
from host.state import StateDir
from host.web.deploys import DeployParts, DeploysApi
from tests.hosts import RunningHost, StartHost, wait_until, zip_of

ECHO = {"index.py": "def index(event, context):\n    return event\n"}
KIB = 1024


def limits_of(**changes: object) -> str:
    return f"limits: {json.dumps(changes)}\n"


def detail(host: RunningHost, content: bytes, name: str) -> str:
    """What is said of a package that is refused at once."""
    (refused,) = host.deploy_zip(content, name)
    return f"{refused['status']} {refused['detail']}"


def test_a_package_function_or_event_at_its_limit_passes_and_one_above_is_refused(
    start_host: StartHost,
) -> None:
    zipped = zip_of(ECHO)
    host = start_host(limits_of(package=len(zipped), functions=2, files=2, max_body=300, json_depth=3))
    assert host.deploy_zip(zipped, "f")[-1]["type"] == "done"
    larger = zip_of({"index.py": ECHO["index.py"] + "#"})
    assert (
        detail(host, larger, "g") == f"413 a package may have {len(zipped)} bytes at most (`limits.package`)"
    )
    assert host.deploy_zip(zipped, "g")[-1]["type"] == "done"
    assert "507 the host has 2 functions, as many as it may (`limits.functions`)" in detail(host, zipped, "h")
    assert host.deploy_zip(zipped, "f")[-1]["unchanged"]
    assert host.invoke("f", "[[[]]]").json() == [[[]]]
    refused = host.invoke("f", "[[[[]]]]")
    assert (refused.status_code, "`limits.json_depth`" in refused.text) == (400, True)
    assert host.invoke("f", b'"' + b"x" * 298 + b'"').status_code == 200
    refused = host.invoke("f", b'"' + b"x" * 299 + b'"')
    assert (refused.status_code, "`limits.max_body`" in refused.text) == (413, True)
    deep = host.client.post(f"{host.url}/api/config", content=b"[" * 17 + b"]" * 17)
    assert (deep.status_code, deep.json()["detail"]) == (400, "the body is nested more than 16 deep")


def test_new_limits_hold_once_the_config_is_applied(start_host: StartHost) -> None:
    host = start_host(limits_of(functions=1))
    assert host.deploy(ECHO, "f")["type"] == "done"
    assert "limits.functions" in detail(host, zip_of(ECHO), "g")
    (host.folder / "config.yaml").write_text(limits_of(functions=2, json_depth=2, disk="4KiB"))
    answer = host.client.post(f"{host.url}/api/config", json={})
    assert "limits: functions changed" in answer.json()["changes"]
    assert host.invoke("f", "[[[]]]").status_code == 400
    told = detail(host, zip_of(ECHO), "g")
    assert told.startswith(f"507 {host.state} takes ")
    assert "more than the 4 KiB that it may (`limits.disk`): environments of f " in told


def test_uploads_beyond_those_at_a_time_wait_until_one_has_ended(
    start_host: StartHost, tmp_path: Path
) -> None:
    host = start_host(limits_of(deploys=1))
    gate = tmp_path / "gate"
    waiting = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"

    async def scene() -> None:
        slow = asyncio.create_task(
            asyncio.to_thread(host.deploy, {"index.py": waiting + ECHO["index.py"]}, "a")
        )
        await asyncio.to_thread(wait_until, lambda: (host.state / "output" / "a").exists(), "a starts")
        other = asyncio.create_task(asyncio.to_thread(host.deploy, ECHO, "b"))
        await asyncio.to_thread(host.invoke, "nobody")
        gate.touch()
        assert [(await slow)["function"], (await other)["function"]] == ["a", "b"]

    asyncio.run(scene())
    assert [path.name for path in (host.state / "staging").iterdir()] == []


def test_uploads_that_go_on_for_long_hold_up_no_deploy_and_end_in_time(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.staging.mkdir()
    parts = DeployParts(state.staging, None, None, Room(state, Limits(deploys=1)))  # type: ignore[arg-type]

    async def scene() -> None:
        api = DeploysApi(parts, upload_time=0.2)
        never: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        scope = {"type": "http", "method": "POST", "headers": [], "query_string": b"", "path": "/"}
        slow = [asyncio.ensure_future(api.deploy(Request(scope, lambda: never))) for _ in range(3)]
        done = await asyncio.gather(api.deploy(Request(scope, send_nothing)), *slow, return_exceptions=True)
        assert [each.status_code for each in done if isinstance(each, HTTPException)] == [400, 408, 408, 408]
        assert not api._turns.locked()

    asyncio.run(scene())


async def send_nothing() -> dict[str, object]:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_what_is_used_of_the_disk_may_be_the_limit_and_no_more(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.lock()
    for name, size in (("environments/f/1/venv/lib", 64), ("output/g/data", 128), ("logs/f.log", 4)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size * KIB)
    (tmp_path / "environments/f/2").mkdir()
    (tmp_path / "environments/f/2/lib").hardlink_to(tmp_path / "environments/f/1/venv/lib")

    async def used(limits: Limits) -> str:
        with pytest.raises(NoRoomError) as caught:
            await Room(state, limits).check_disk()
        return str(caught.value)

    async def scene() -> None:
        told = await used(Limits(disk=1))
        assert told.index("output of g 1") < told.index("environments of f") < told.index("logs of f 4 KiB")
        takes = parse_size(told.split(" takes ")[1].split(",")[0].replace(" ", ""))
        assert 196 * KIB <= takes < 260 * KIB
        await Room(state, Limits(disk=takes)).check_disk()
        await used(Limits(disk=takes - 1))

    asyncio.run(scene())
    state.unlock()
