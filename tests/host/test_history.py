"""The history of a real host: it adds up to what was sent, and outlives the host."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts import RunningHost, StartHost, shared_host, start_host, wait_until

__all__ = ["shared_host", "start_host"]

MIXED = {"index.py": "def index(event, context):\n    return 1 / event['n']\n"}


def ask(host: RunningHost, **query: str) -> Any:
    answer = host.client.get(f"{host.url}/api/metrics", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def total(host: RunningHost, column: str, **query: str) -> float:
    told = ask(host, columns=column, **query)
    return sum(sum(series["values"][column]) for series in told["series"])


def settled(host: RunningHost, column: str, wanted: float, **query: str) -> Callable[[], bool]:
    return lambda: total(host, column, **query) == wanted


def test_the_rows_of_every_step_and_scope_add_up_to_what_was_sent(start_host: StartHost) -> None:
    host = start_host()
    for name in ("除法", "spare"):
        assert host.deploy(MIXED, name)["type"] == "done"
    for number in range(30):
        host.invoke("除法", {"n": number % 3})
    host.invoke("spare", {"n": 1})
    assert host.invoke("nobody", {"n": 1}).status_code == 404
    wait_until(settled(host, "events", 31), "the host has seen all events")
    for step in ("1s", "10s", "1m"):
        assert total(host, "events", step=step) == 31
        assert total(host, "refused", step=step) == 1
        assert total(host, "raised", function="除法", step=step) == 10
        assert total(host, "ok", function="除法", step=step) == 20
        assert total(host, "answered", scope="instance", step=step) == 31
    wait_until(lambda: total(host, "memory", function="除法") > 0, "its memory is known")
    wait_until(lambda: total(host, "cpu_seconds", function="除法") > 0, "its processor time is known")
    assert max(ask(host, columns="descriptors")["series"][0]["values"]["descriptors"]) > 5
    host.stop()
    host.start()
    assert total(host, "events", since="1h") == 31
    host.invoke("除法", {"n": 1})
    wait_until(settled(host, "events", 32, since="2h", step="10s"), "both lives are told as one")
    assert total(host, "raised", function="除法", since="24h") == 10


def test_csv_has_a_line_for_each_row_with_units(shared_host: RunningHost) -> None:
    wait_until(lambda: ask(shared_host)["series"], "a second was seen")
    query = {"format": "csv", "columns": "events,cpu_seconds,run_p99"}
    answer = shared_host.client.get(f"{shared_host.url}/api/metrics", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, first, *_ = csv.reader(io.StringIO(answer.text))
    assert header == ["time", "events (events)", "cpu_seconds (seconds)", "run_p99 (seconds)"]
    assert first[0].endswith("Z") and first[1:] == ["0", "0.0", ""]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"scope": "planet"}, "host, function, instance"),
        ({"step": "5s"}, "1s, 10s, 1m, auto"),
        ({"since": "soon"}, "duration"),
        ({"since": "0"}, "24h"),
        ({"since": "8d"}, "24h"),
        ({"columns": "events,luck"}, "'luck'"),
        ({"format": "xml"}, "json, csv"),
        ({"until": "now"}, "'until'"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(
    shared_host: RunningHost, query: dict[str, str], told: str
) -> None:
    answer = shared_host.client.get(f"{shared_host.url}/api/metrics", params=query)
    assert answer.status_code == 400 and told in answer.json()["detail"]
