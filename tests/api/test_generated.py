"""Requests that schemathesis makes from the document find no fault in a running host and harm no function."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.generating import TARGET, Amount, exposed_host, generate, is_unharmed
from tests.hosts import RunningHost


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    with exposed_host(tmp_path_factory.mktemp("exposed")) as running:
        yield running


# What a generator has found once.
REFUSED: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "a tail of more digits than Python reads": (
        "GET", f"/api/functions/{TARGET}/logs", {"params": {"tail": "9" * 5000}}, 400,
    ),
    "a flag that is none": ("DELETE", "/api/dead-letters", {"params": {"all": "yes", "rule": "r"}}, 400),
    "a path that holds NUL": ("POST", "/api/config", {"json": {"path": "/etc/\0"}}, 400),
    "a path that holds half a character": ("POST", "/api/config", {"content": b'{"path": "/\\ud800"}'}, 400),
    "half of an instance": ("POST", f"/api/functions/{TARGET}/scale", {"json": {"instances": 0.5}}, 400),
    "a method that is not offered": ("PATCH", "/api/functions", {}, 405),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_with_a_problem(host: RunningHost, what: str) -> None:
    method, path, said, status = REFUSED[what]
    answer = host.client.request(method, host.url + path, **said)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_a_405_names_the_methods_of_all_routes_of_its_path(host: RunningHost) -> None:
    answer = host.client.patch(f"{host.url}/api/functions/{TARGET}")
    assert answer.headers["allow"] == "DELETE, GET, HEAD"


def test_no_generated_request_is_answered_other_than_documented_or_harms_a_function(
    host: RunningHost,
) -> None:
    found = generate(host, Amount("coverage,fuzzing,stateful", examples=3, seed=20))
    assert found.failures == ""
    assert found.cases > 300
    assert is_unharmed(host)
    assert "Traceback" not in host.log()
