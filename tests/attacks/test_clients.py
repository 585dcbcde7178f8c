"""Callers over HTTP that mean harm: slow ones, many, lying ones, and those that guess."""

import contextlib
import gzip
import json
import resource
import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from tests.attacks.siege import Siege, reachable_folder
from tests.attacks.wire import LAST, ask, connect, drip, is_over, read_rest, statuses
from tests.hosts import wait_until

CONFIG = "limits: {header_time: 2s, body_time: 4s, connections: 1000, package: 1MiB}\n"
COUNTER = {
    "index.py": """
import os
def index(event, context):
    with open(os.path.join(context.output_dir, "runs"), "a+") as runs:
        runs.write("x")
        runs.seek(0)
        return {"runs": len(runs.read())}
""",
    "function.yaml": "scale: {max: 1}\n",
}
IDLE = 10_000
PULSE = 0.1
"""Seconds between two bytes of a slow caller."""
MIB = 1024 * 1024
PLAIN = b"POST /invoke/victim HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def siege() -> Iterator[Siege]:
    """As that of the other modules, with shorter times; `victim` counts how often it has run."""
    with reachable_folder() as folder:
        besieged = Siege(folder, CONFIG)
        try:
            besieged.begin()
            deployed = besieged.host.deploy(COUNTER, "victim")
            assert deployed.get("type") == "done", deployed
            yield besieged
        finally:
            besieged.close()


@pytest.fixture(autouse=True)
def _unharmed(siege: Siege) -> Iterator[None]:
    """After each attack."""
    yield
    siege.check_unharmed()


def runs(siege: Siege) -> int:
    """How often the victim has run."""
    return int(siege.host.invoke("victim", {}).json()["runs"])


@pytest.mark.parametrize(
    "start",
    [b"POST /invoke/victim HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", PLAIN + b"Content-Length: 100000\r\n\r\n"],
    ids=["heads", "bodies"],
)
def test_callers_that_send_a_byte_now_and_then_are_cut_off(siege: Siege, start: bytes) -> None:
    pulse = threading.Event()
    wires = [connect(siege.host.url) for _ in range(200)]
    for wire in wires:
        wire.sendall(start)

    def send_on() -> bool:
        nonlocal wires
        wires = drip(wires, b"a")
        pulse.wait(PULSE)
        return not wires

    wait_until(send_on, "all slow callers are cut off")


def test_a_flood_of_headers_is_refused_and_kept_nowhere(siege: Siege) -> None:
    before = siege.host_memory()
    for flood in (b"X-A: " + b"a" * 1000 + b"\r\n", b"X-%d: a\r\n", b"X" * 4096):
        with connect(siege.host.url) as wire:
            wire.sendall(PLAIN)
            with contextlib.suppress(OSError):
                for _ in range(20_000):
                    wire.sendall(flood)
            answer = read_rest(wire)
        # What is still under way when the host hangs up may take its answer with it.
        assert statuses(answer) in ([431], [400], []), answer[:200]
    assert siege.host_memory() - before < 30 * MIB


def test_ten_thousand_idle_connections_keep_nobody_out(siege: Siege) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < IDLE + 500:
        pytest.skip(f"this process may have {most} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wires: list[socket.socket] = []
    try:
        for number in range(IDLE):
            wires.append(connect(siege.host.url))
            if number % 1000 == 0:
                assert siege.host.client.get(f"{siege.host.url}/livez").status_code == 200
        wait_until(
            lambda: sum(not is_over(wire) for wire in wires) <= 1000, "those above the limit are closed"
        )
        siege.check_unharmed()
        assert statuses(ask(siege.host.url, PLAIN + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")) == [
            200
        ]
    finally:
        for wire in wires:
            wire.close()


NAMES = [
    b"..",
    b".",
    b"../victim",
    b"..%2fvictim",
    b"%2e%2e",
    b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    b"....//victim",
    b"victim%00",
    b"victim%00.py",
    b"victim%2f..%2fvictim",
    b"%2fetc%2fpasswd",
    b"victim/../neighbour",
    b"victim\\..",
    b"v%69ctim%20",
    b"VICTIM",
    b"vi\xcc\x87ctim",
    b"%EF%BD%96ictim",
    b"victim%E2%80%8B",
    b"victim%C0%AE%C0%AE",
    b"victim%ED%A0%80",
    b"a" * 5000,
    b"%E4%B8" * 300,
    b"victim@99",
    b"victim@../1",
    b"victim@-1",
    b"victim@1e9",
    b"victim@" + b"9" * 5000,
    b"victim@live@live",
    b"*",
    b"+subinterpreters",
    b"%2b",
    b"",
    b"%",
    b"%zz",
    b"victim;x=1",
    b"victim%0d%0ax:1",
    b"\xff\xfe",
    b"victim@%00",
]
PLACES = (
    b"/invoke/%b",
    b"/api/functions/%b",
    b"/api/functions/%b/logs",
    b"/api/functions/%b/revisions/%b/build-log",
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.decode())
def test_no_name_leads_anywhere_but_to_a_function(siege: Siege, place: bytes) -> None:
    before = runs(siege)
    method = b"POST" if place.startswith(b"/invoke") else b"GET"
    head = b"Host: 127.0.0.1\r\nAuthorization: Bearer %b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    head %= siege.host.local_token().encode()
    for name in NAMES:
        path = place.replace(b"%b", name)
        answer = ask(siege.host.url, b"%b %b HTTP/1.1\r\n%b" % (method, path, head))
        told = statuses(answer)
        assert len(told) == 1 and told[0] in (307, 400, 403, 404, 405, 414), (path[:80], answer[:300])
        assert b"root:" not in answer
    assert runs(siege) == before + 1


def test_guessed_tokens_open_nothing_and_keep_the_right_one_in_service(siege: Siege) -> None:
    right = siege.host.local_token()
    guesses = [
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        right.upper(),
        "",
        "null",
        "*",
        "fnh_" + "A" * 49,
    ]
    guesses += [right[:length] for length in range(0, len(right), 3)] + [f"{right} {right}", f"{right},x"]
    seen = set()
    for guess in guesses:
        for scheme in ("Bearer", "bearer", "Basic", "Token", ""):
            told = f"Authorization: {scheme} {guess}\r\nConnection: close\r\n\r\n"
            request = f"GET /api/functions HTTP/1.1\r\nHost: 127.0.0.1\r\n{told}"
            seen |= set(statuses(ask(siege.host.url, request.encode())))
        assert siege.host.client.get(f"{siege.host.url}/api/functions").status_code == 200
    assert seen <= {401, 403, 429} and 429 in seen
    assert right not in siege.host.log()


def test_an_event_that_is_sent_again_and_again_runs_once(siege: Siege) -> None:
    before = runs(siege)
    headers = {"x-request-id": "replayed-1", "x-invocation-type": "async", "content-type": "application/json"}
    answers = [siege.host.invoke("victim", "{}", headers=headers) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers if '"waiting"' in answer.text}) <= 1
    result = f"{siege.host.url}/api/invocations/replayed-1/result"
    wait_until(lambda: siege.host.client.get(result).status_code == 200, "it has run")
    assert siege.host.invoke("victim", "{}", headers=headers).json()["state"] == "done"
    assert siege.host.invoke("neighbour", '{"n":1}', headers=headers).status_code == 409
    assert siege.host.client.post(result, content=b"{}").status_code == 405
    assert runs(siege) == before + 2


def is_given_up(siege: Siege, name: str) -> bool:
    """Whether a result will not be posted any more."""
    shown = siege.host.client.get(f"{siege.host.url}/api/invocations/{name}").json()
    return bool(shown["callback_state"] == "failed")


@pytest.mark.parametrize(
    "place",
    ["/api/config", "/invoke/victim", "/api/tokens"],
)
def test_no_callback_reaches_the_host_itself(siege: Siege, place: str) -> None:
    before = runs(siege)
    port = siege.host.url.rpartition(":")[2]
    for number, host in enumerate(
        ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "[::ffff:127.0.0.1]")
    ):
        name = f"callback-{place.replace('/', '-')}-{number}"
        headers = {
            "x-request-id": name,
            "x-invocation-type": "async",
            "x-callback-url": f"http://{host}:{port}{place}",
        }
        answer = siege.host.invoke("neighbour", '{"n": 1}', headers=headers)
        assert answer.status_code in (400, 202), answer.text
        if answer.status_code == 202:
            wait_until(partial(is_given_up, siege, name), "given up")
    assert runs(siege) == before + 1


SMUGGLED = b"POST /invoke/victim HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}"
FRAMINGS = {
    "both": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, %d\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x0\r\n\r\n",
    "a length with a space before its colon": b"Content-Length : 0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked is not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a folded coding": b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a bare line feed before it": b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare carriage return": b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a huge chunk": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
    "a negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk with a bare line feed": b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
    "NUL in a name": b"Content-Length\0: 0\r\n\r\n",
}


@pytest.mark.parametrize("what", FRAMINGS)
def test_no_request_is_smuggled_in_the_body_of_another(siege: Siege, what: str) -> None:
    before = runs(siege)
    framing = FRAMINGS[what].replace(b"%d", b"%d" % len(SMUGGLED))
    head = b"POST /invoke/nobody HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    told = statuses(ask(siege.host.url, head + framing + SMUGGLED + LAST))
    assert told in ([400], [408], [404, 200]), told
    assert runs(siege) == before + 1


BOMBS = {
    "deep": b"[" * 3_000_000,
    "deep and whole": b"[" * 500_000 + b"]" * 500_000,
    "deep mappings": b'{"a":' * 500_000,
    "a number of a million digits": b"9" * 1_000_000,
    "wide": b"[" + b"[]," * 1_900_000 + b"[]]",
    "keys that are one": b"{" + b'"a":1,' * 900_000 + b'"a":1}',
    "gzip": gzip.compress(bytes(100 * MIB)),
    "nothing": b"",
}


@pytest.mark.parametrize("what", BOMBS)
def test_bombs_of_json_go_off_nowhere(siege: Siege, what: str) -> None:
    before = siege.host_memory()
    for path in ("/invoke/neighbour", "/api/config"):
        headers = {"content-type": "application/json"} | (
            {"content-encoding": "gzip"} if what == "gzip" else {}
        )
        answer = siege.host.client.post(siege.host.url + path, content=BOMBS[what], headers=headers)
        # The function's own error where it is JSON after all.
        assert answer.status_code in (400, 409, 413, 415, 500), (path, answer.text[:300])
    assert siege.host_memory() - before < 50 * MIB


@pytest.mark.parametrize("ends", [True, False], ids=["over the limit", "cut off"])
def test_an_upload_without_end_leaves_nothing(siege: Siege, ends: bool) -> None:
    head = "POST /api/functions?name=endless HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
    head += f"Authorization: Bearer {siege.host.local_token()}\r\n\r\n"
    with connect(siege.host.url) as wire:
        wire.sendall(head.encode())
        if ends:
            with contextlib.suppress(OSError):
                for _ in range(100):
                    wire.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
            answer = read_rest(wire)
            assert statuses(answer) in ([413], []), answer[:200]
        else:
            wire.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
    wait_until(lambda: not list((siege.host.state / "staging").iterdir()), "nothing is left of it")
    names = [
        each["name"] for each in siege.host.client.get(f"{siege.host.url}/api/functions").json()["functions"]
    ]
    assert sorted(names) == ["neighbour", "victim"], json.dumps(names)
