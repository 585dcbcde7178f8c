"""Deploys packages to a real host, for tests of what runs in its instances."""

from collections.abc import Callable
from typing import Any

from tests.hosts import Files, RunningHost, wait_until


def deploy(host: RunningHost, name: str, index: str, manifest: str = "", files: Files | None = None) -> None:
    """Deploy a package of an `index.py`, perhaps with a manifest and other files; it must succeed."""
    package = {"index.py": index, **({"function.yaml": manifest} if manifest else {}), **(files or {})}
    done = host.deploy(package, name)
    assert done["type"] == "done", done


def refusal(host: RunningHost, name: str, index: str, manifest: str = "") -> str:
    """Why a package was not taken into service."""
    told = host.deploy({"index.py": index, "function.yaml": manifest}, name)
    assert told["type"] == "error", told
    return str(told["detail"])


def answer(host: RunningHost, name: str, event: dict[str, Any] | None = None) -> Any:
    """What the function answers, which must be JSON with status 200."""
    response = host.invoke(name, event or {})
    assert response.status_code == 200, response.text
    return response.json()


def instance(host: RunningHost, name: str) -> int:
    """The pid of the function's first instance that takes events, or 0."""
    detail = host.describe(name)["instances_detail"]
    return next((int(each["pid"]) for each in detail if each["state"] in ("idle", "busy")), 0)


def wait_for_line(host: RunningHost, name: str, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first line of the function's log of which this is true."""
    line: dict[str, Any] = wait_until(
        lambda: next((line for line in host.logs(name) if true(line)), None), "the line is in the log", 20
    )
    return line
