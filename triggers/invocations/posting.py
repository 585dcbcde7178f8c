"""Posts one result to one place, at an address that was judged, and says what came of it."""

import asyncio
import json

import httpx

from triggers.http_answers import encode_answer
from triggers.invocations.destinations import CallbackError, Destination, ForbiddenPlaceError, resolve
from triggers.invocations.records import FAILED, answer_of
from triggers.store.rows import Invocation
from triggers.trace_context import PARENT, STATE

TIMEOUT = 10.0
"""Seconds for one post, the look-up of the name included."""
_AGAIN = frozenset({408, 425, 429})
_DROPPED = frozenset(
    {
        *(b"host", b"content-length", b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer"),
        *(b"transfer-encoding", b"upgrade", b"proxy-authenticate", b"proxy-authorization"),
    }
)
"""Headers that concern a connection (RFC 9110, 7.6.1) or where it leads: not the function's to say."""


class Poster:
    """Owns the client; `listed` is the config's `callback_hosts`."""

    def __init__(self, listed: frozenset[str]) -> None:
        self._listed = listed
        # What callers name is worth no redirect, no proxy's view and no file of passwords. A connection that
        # is kept would be known by its address alone, and another name's request might get it.
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Nothing more is posted."""
        await self._client.aclose()

    async def post(self, place: Destination, record: Invocation) -> None:
        """Return once the place has taken the result; raises CallbackError."""
        try:
            async with asyncio.timeout(TIMEOUT):
                addresses = await resolve(place, self._listed)
                status = await self._send(record, place, addresses)
        except TimeoutError:
            raise CallbackError(f"{place} gave no answer within {TIMEOUT:g} s") from None
        except (ForbiddenPlaceError, httpx.InvalidURL, ValueError) as error:
            raise CallbackError(f"{place} {error}", final=True) from None
        except (httpx.HTTPError, OSError) as error:
            raise CallbackError(f"{place}: {str(error) or type(error).__name__}") from None
        if not 200 <= status <= 299:
            final = status < 500 and status not in _AGAIN
            raise CallbackError(f"{place} answered with HTTP {status}", final)

    async def _send(self, record: Invocation, place: Destination, addresses: list[str]) -> int:
        *others, last = addresses
        share = httpx.Timeout(TIMEOUT, connect=TIMEOUT / len(addresses))
        request = _request_of(record, place)
        for address in others:
            try:
                return await self._send_to(address, request, share)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send_to(last, request, share)

    async def _send_to(self, address: str, request: httpx.Request, timeout: httpx.Timeout) -> int:
        request.url = request.url.copy_with(host=address)
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        # Its answer's body is not read: it may have no end.
        answer = await self._client.send(request, stream=True)
        await answer.aclose()
        return answer.status_code


def _request_of(record: Invocation, place: Destination) -> httpx.Request:
    """Host header and certificate are those of the URL, whichever address it is sent to."""
    headers, body = _message(record)
    request = httpx.Request("POST", record.callback, headers=headers, content=body)
    request.extensions = {"sni_hostname": request.url.raw_host.decode("ascii")}
    request.url = request.url.copy_with(port=place.port)
    return request


def _message(record: Invocation) -> tuple[dict[bytes, bytes], bytes]:
    ours = {b"x-request-id": record.id.encode(), b"x-invocation-state": record.state.encode()}
    trace = record.error if record.state == FAILED else record.result
    ours |= {name.encode(): str(trace[name]).encode("latin-1") for name in (PARENT, STATE) if name in trace}
    if record.state == FAILED:
        ours[b"content-type"] = b"application/problem+json"
        return ours, json.dumps(record.error, ensure_ascii=False).encode("utf-8", "replace")
    status, told, body = encode_answer(answer_of(record))
    ours[b"x-function-status"] = b"%d" % status
    # Of two headers with one name the host's own comes first there, and is to win here.
    headers = {name: value for name, value in reversed(told) if name not in _DROPPED}
    return headers | ours, body
