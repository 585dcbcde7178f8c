"""HTTP connections as raw bytes: what is written in one go must still be HTTP."""

import socket

import pytest

from tests.hosts import RunningHost

ECHO = "def index(event, context):\n    return None if event == 0 else event\n"


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with a function that returns its event."""
    assert shared_host.deploy({"index.py": ECHO}, "echo")["type"] == "done"
    return shared_host


def exchange(host: RunningHost, request: bytes) -> bytes:
    """All that the host sends back until it closes the connection."""
    port = int(host.url.rpartition(":")[2])
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        while data := connection.recv(65536):
            received += data
    return received


def post(body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"POST /invoke/echo HTTP/" + version, b"Host: localhost", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, *headers, b"", body])


def test_an_answer_has_status_date_length_and_body(host: RunningHost) -> None:
    head, _, body = exchange(host, post(b"12", b"Connection: close")).partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    told = dict(line.split(b": ", 1) for line in headers)
    assert status == b"HTTP/1.1 200 OK"
    assert body == b"12"
    assert told[b"content-length"] == b"2"
    assert told[b"connection"] == b"close"
    assert told[b"content-type"] == b"application/json"
    assert b"GMT" in told[b"date"]


def test_a_connection_of_http_1_0_is_closed_after_the_answer(host: RunningHost) -> None:
    assert exchange(host, post(b"1", version=b"1.0")).endswith(b"\r\n\r\n1")


def test_an_answer_without_content_has_no_length_and_no_body(host: RunningHost) -> None:
    received = exchange(host, post(b"0", b"Connection: close"))
    assert received.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"content-length" not in received
    assert received.endswith(b"\r\n\r\n")


def test_requests_sent_at_once_are_answered_in_order_over_one_connection(host: RunningHost) -> None:
    requests = [post(b"%d" % number) for number in range(1, 20)] + [post(b"20", b"Connection: close")]
    bodies = [
        part.partition(b"\r\n\r\n")[2] for part in exchange(host, b"".join(requests)).split(b"HTTP/1.1 ")
    ]
    assert bodies[1:] == [b"%d" % number for number in range(1, 21)]


def test_a_caller_that_waits_for_permission_to_send_its_body_gets_it(host: RunningHost) -> None:
    request = post(b"5", b"Expect: 100-continue", b"Connection: close")
    received = exchange(host, request)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n5")


def test_a_large_answer_is_whole(host: RunningHost) -> None:
    body = b'"' + b"x" * 3_000_000 + b'"'
    assert exchange(host, post(body, b"Connection: close")).endswith(b"\r\n\r\n" + body)


def test_a_caller_that_goes_away_is_no_ones_trouble(host: RunningHost) -> None:
    port = int(host.url.rpartition(":")[2])
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(post(b"1"))
    assert host.invoke("echo", b"7").json() == 7
    assert "Traceback" not in host.log()
