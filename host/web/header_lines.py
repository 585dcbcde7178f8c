"""The lines that begin an answer, as bytes that are made once."""

import http
from functools import lru_cache


@lru_cache(16)
def join_lines(*headers: tuple[bytes, bytes]) -> bytes:
    """Header lines, each with its end; those of the server change once a second."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


@lru_cache(600)
def status_line(status: int) -> bytes:
    """`HTTP/1.1 200 OK`, with its end."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
