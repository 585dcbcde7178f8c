"""Callers on raw sockets, all at once: each sends one event, at next to no cost to who answers it."""

import re
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench.part import UnmeasuredError

PATIENCE = 30.0
READ_SIZE = 64 * 1024
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What a caller got, `after` so many ms; a `status` of 0: nothing within `PATIENCE`."""

    status: int
    after: float
    body: bytes


@dataclass(frozen=True)
class Volley:
    """Answers as they came; `begun` is the moment of the first event, in seconds since the epoch."""

    begun: float
    answers: list[Answer]


def call_once(url: str, body: bytes = b"{}") -> float:
    """Invoke; ms until the answer. Raises UnmeasuredError when it is an error."""
    answer = call_all(url, 1, body).answers[0]
    if not 200 <= answer.status < 300:
        raise UnmeasuredError(f"{url} answers {answer.status}: {answer.body[:300].decode(errors='replace')}")
    return answer.after


def call_all(url: str, count: int, body: bytes = b"{}") -> Volley:
    """So many callers, connected before, send one event each in the same moment."""
    split = urlsplit(url)
    head = f"POST {split.path} HTTP/1.1\r\nHost: {split.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with selectors.DefaultSelector() as selector:
        callers = [socket.create_connection((split.hostname or "", split.port or 80)) for _ in range(count)]
        try:
            moment, begun = time.time(), time.perf_counter()
            for each in callers:
                selector.register(each, selectors.EVENT_READ, bytearray())
                each.sendall(request)
            return Volley(moment, _collect(selector, begun, count))
        finally:
            for each in callers:
                each.close()


def timed(step: Callable[[], object]) -> float:
    """How many ms a step takes."""
    begun = time.perf_counter()
    step()
    return (time.perf_counter() - begun) * 1000


def _collect(selector: selectors.BaseSelector, begun: float, count: int) -> list[Answer]:
    answers: list[Answer] = []
    while len(answers) < count and (left := begun + PATIENCE - time.perf_counter()) > 0:
        for key, _ in selector.select(left):
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(READ_SIZE)
            key.data.extend(data)
            after = (time.perf_counter() - begun) * 1000
            if (answer := _read(bytes(key.data), after)) or not data:
                answers.append(answer or Answer(0, after, b""))
                selector.unregister(key.fileobj)
    return [*answers, *[Answer(0, PATIENCE * 1000, b"")] * (count - len(answers))]


def _read(data: bytes, after: float) -> Answer | None:
    """The answer, when it is whole."""
    head, ended, body = data.partition(b"\r\n\r\n")
    if not ended:
        return None
    told = LENGTH.search(head)
    return Answer(int(head.split()[1]), after, body) if len(body) >= int(told[1] if told else 0) else None
