"""Dead letters and the delivery database of a real host, through its API."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.burying import LANE, LETTER, leave_events, leave_letters
from tests.hosts import RunningHost, wait_until

API = "/api/dead-letters"


@contextmanager
def running(host: RunningHost) -> Iterator[RunningHost]:
    host.start()
    try:
        yield host
    finally:
        host.close()


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host that finds dead letters at its start; each test takes those of a function of its own."""
    host = RunningHost(tmp_path_factory.mktemp("yard"))
    named = [replace(LETTER, function=name) for name in ("seen", "seen", "stranded", "dropped", "dropped")]
    text = replace(LETTER, function="text", head={"topic": "输入/1"})
    bodies = [b"\xff\x00", "é".encode() * 200_000, b"[" * 300_000]
    sized = [replace(LETTER, function="bodies", body=body) for body in bodies]
    leave_letters(host.state, *named, text, *sized)
    with running(host):
        yield host


def get(host: RunningHost, path: str = "", **query: Any) -> Any:
    answer = host.client.get(f"{host.url}{API}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def seqs(host: RunningHost, **query: Any) -> list[int]:
    return [letter["seq"] for letter in get(host, **query)["dead_letters"]]


def test_letters_are_listed_newest_first_and_page_by_page(yard: RunningHost) -> None:
    newest, oldest = get(yard, function="seen")["dead_letters"]
    assert newest["seq"] > oldest["seq"]
    assert seqs(yard, function="seen", limit=1) == [newest["seq"]]
    assert seqs(yard, function="seen", before=newest["seq"]) == [oldest["seq"]]
    assert seqs(yard, function="seen", rule="other") == []
    told = ("rule", "lane", "event_id", "attempts", "error_type", "message", "died", "size")
    assert {name: newest[name] for name in told} == {
        "rule": "telemetry", "lane": LANE, "event_id": "11" * 16, "attempts": 3, "error_type": "ValueError",
        "message": "no", "died": 4e9, "size": 8,
    }  # fmt: skip
    assert "body" not in newest


def test_one_letter_is_shown_with_all_that_is_known(yard: RunningHost) -> None:
    (seq,) = seqs(yard, function="text")
    letter = get(yard, f"/{seq}")
    assert (letter["body"], letter["body_encoding"], letter["body_cut"]) == ('{"t": 1}', "text", False)
    assert (letter["stack"], letter["key"]) == (["index.py, line 2"], "in/1")
    assert letter["head"] == {"topic": "输入/1"}


def test_bodies_are_shown_as_text_where_they_are_and_cut_where_they_are_long(yard: RunningHost) -> None:
    shown = [get(yard, f"/{seq}") for seq in sorted(seqs(yard, function="bodies"))]
    told = [(each["body_encoding"], each["body_cut"], each["size"], len(each["body"])) for each in shown]
    assert told == [
        ("base64", False, 2, 4),
        ("text", True, 400_000, 128 * 1024),
        ("text", True, 300_000, 256 * 1024),
    ]


def test_a_replay_without_a_rule_to_take_it_is_refused_and_changes_nothing(yard: RunningHost) -> None:
    (seq,) = seqs(yard, function="stranded")
    refused = yard.client.post(f"{yard.url}{API}/{seq}/replay")
    assert refused.status_code == 409
    assert "is not in the config any more; put it back" in refused.json()["detail"]
    told = yard.client.post(f"{yard.url}{API}/replay", params={"function": "stranded"}).json()
    assert told == {"replayed": 0, "stranded": {LANE: 1}}
    assert seqs(yard, function="stranded") == [seq]


def test_dropped_letters_are_gone(yard: RunningHost) -> None:
    first, second = seqs(yard, function="dropped")
    assert yard.client.delete(f"{yard.url}{API}/{first}").json() == {"dropped": 1}
    assert seqs(yard, function="dropped") == [second]
    older = f"{yard.url}{API}?function=dropped&until={second - 1}"
    assert yard.client.delete(older).json() == {"dropped": 0}
    assert yard.client.delete(f"{yard.url}{API}?function=dropped&until={second}").json() == {"dropped": 1}
    assert seqs(yard, function="dropped") == []
    for verb, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
        answer = yard.client.request(verb, f"{yard.url}{API}/{first}{path}")
        assert (answer.status_code, str(first) in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("DELETE", ""),
        ("DELETE", "?all=1&rule=r"),
        ("POST", "/replay"),
        ("GET", "?limit=many"),
        ("GET", f"?before={'9' * 30}"),
    ],
)
def test_what_is_not_meant_clearly_is_refused(yard: RunningHost, verb: str, path: str) -> None:
    answer = yard.client.request(verb, f"{yard.url}{API}{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_dropped_letter_stays_dropped_when_the_host_is_killed(tmp_path: Path) -> None:
    host = RunningHost(tmp_path)
    first, second = leave_letters(host.state, LETTER, LETTER)
    with running(host):
        assert host.client.delete(f"{host.url}{API}/{first}").status_code == 200
        host.kill()
        host.start()
        assert seqs(host) == [second]


def test_a_full_database_makes_the_host_unready_until_there_is_room(tmp_path: Path) -> None:
    host = RunningHost(tmp_path, "limits: {delivery: 4MiB, min_free: 0}\n")
    block = b"x" * 65536
    leave_events(host.state, LANE, [block] * 44)
    leave_letters(host.state, *[replace(LETTER, body=block)] * 10)
    with running(host):
        answer = host.client.get(f"{host.url}/readyz")
        (check,) = [each for each in answer.json()["checks"] if each["name"] == "delivery"]
        assert (answer.status_code, check["ok"], check["required"]) == (503, False, True)
        assert check["detail"]
        assert host.client.delete(f"{host.url}{API}?all=1").json() == {"dropped": 10}
        wait_until(lambda: host.client.get(f"{host.url}/readyz").status_code == 200, "it is ready again")


def test_what_waits_on_disk_is_shown(tmp_path: Path) -> None:
    host = RunningHost(tmp_path, "limits: {delivery: 64MiB}\n")
    # Nobody works this one; those that are known would begin to.
    leave_events(host.state, "somebody/echo", [b"1", b"2", b"3"])
    leave_letters(host.state, LETTER)
    with running(host):
        shown = host.client.get(f"{host.url}/api/delivery").json()
    assert (shown["events"], shown["results"]) == ({"somebody/echo": 3}, {})
    assert (shown["dead_letters"], shown["quota"]) == (1, 64 * 1024 * 1024)
    assert 0 < shown["used"] < shown["quota"]
    assert (shown["takes_in"], shown["why_not"], shown["damaged"]) == (True, "", 0)


def test_an_idle_host_writes_nothing_to_the_delivery_database(tmp_path: Path) -> None:
    host = RunningHost(tmp_path)
    with running(host):
        shown = host.client.get(f"{host.url}/api/delivery").json()
        assert host.client.get(f"{host.url}/readyz").status_code == 200
        assert host.client.get(f"{host.url}/api/delivery").json() == shown


def refusal(host: RunningHost) -> str:
    """What a host says that does not start."""
    try:
        host.start()
    except AssertionError as error:
        return str(error)
    finally:
        host.close()
    raise AssertionError("it has started")


def test_a_crash_point_that_does_not_exist_is_refused_at_the_start(tmp_path: Path) -> None:
    host = RunningHost(tmp_path, env={"FNHOST_FAILPOINT": "no.such:1"})
    told = refusal(host)
    assert "FNHOST_FAILPOINT: there is no point no.such" in told
    assert "Traceback" not in told


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    host = RunningHost(tmp_path)
    leave_letters(host.state)
    with closing(sqlite3.connect(host.state / "delivery.db")) as database:
        # Both are raised by the same number: a header in which they do not match is damaged.
        for pragma in ("user_version", "application_id"):
            (value,) = database.execute(f"PRAGMA {pragma}").fetchone()
            database.execute(f"PRAGMA {pragma} = {value + 90}")
    told = refusal(host)
    assert "delivery failed to set up" in told
    assert "newer fnhost" in told
