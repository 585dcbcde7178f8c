"""Fetches a package's zip from an address: resumed, retried, bounded, checked, in place all at once."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from conf.address import Address
from functions.digests import Digests, misfit, read_digests
from functions.fetch_order import FetchError, FetchOrder
from functions.part_file import PartFile

ATTEMPTS = 5  # in a row without a byte more than before
FIRST_PAUSE = 0.5  # seconds; doubled after each attempt
LONGEST_PAUSE = 30.0
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0  # between two pieces of an answer
MOST_REDIRECTS = 5
TEMPORARY = (404, 408, 425, 429)  # 404: file servers show a model some time after they were told of it
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Say = Callable[[str], None]


async def fetch(order: FetchOrder, say: Say) -> Path:
    """Bring the zip to `order.target` and return that; one that lies there with fitting digests is kept.

    What was received stays for the next call to go on from. `say` gets a line for each new attempt.
    Raises FetchError, also for a digest that is written wrongly; nothing is fetched then.
    """
    digests = _digests_of(order)
    try:
        if await asyncio.to_thread(_is_there, order.target, digests):
            return order.target
        async with asyncio.timeout(order.time_limit):
            await _fetch(_Download(order, digests), say)
        return order.target
    except TimeoutError:
        raise FetchError(
            f"{order.shown_url} did not arrive whole within {order.time_limit:g} s; what came is kept,"
            " check the network",
            retryable=True,
        ) from None
    except OSError as error:
        raise FetchError(
            f"{order.shown_url} cannot be stored: {error.strerror or error}; make room on the disk",
            retryable=True,
        ) from None


def _digests_of(order: FetchOrder) -> Digests:
    try:
        return read_digests(order.md5, order.sha256)
    except ValueError as error:
        raise FetchError(f"{order.shown_url} is not fetched: {error}", retryable=False) from None


def _is_there(target: Path, digests: Digests) -> bool:
    return bool(digests) and target.is_file() and misfit(target, digests) is None


async def _fetch(download: "_Download", say: Say) -> None:
    failures, most = 0, 0
    async with _client(download.order) as client:
        while True:
            try:
                return await download.attempt(client)
            except FetchError as error:
                size = download.part.size
                failures, most = (1, size) if size > most else (failures + 1, most)
                if not error.retryable or failures >= ATTEMPTS:
                    raise
                reason = str(error)
            # Jitter: hosts that lost the same server do not all come back at the same moment.
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
            say(f"{reason} (trying again in {pause:.1f} s)")
            await asyncio.sleep(pause)


def _client(order: FetchOrder) -> httpx.AsyncClient:
    url = _checked_url(order)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=True,
        max_redirects=MOST_REDIRECTS,
        # The digest is of the bytes as they lie there, not of what a compressing server makes of them.
        headers={"accept-encoding": "identity"},
        # A proxy of the environment cannot know what listens on this machine's own loopback.
        trust_env=not Address(url.host, 0).is_loopback,
    )


def _checked_url(order: FetchOrder) -> httpx.URL:
    try:
        url = httpx.URL(order.url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchError(
            f"{order.shown_url or 'an empty text'} is no address to fetch from; write http://… or https://…",
            retryable=False,
        )
    return url


class _Download:
    """One order and the bytes that are there so far."""

    def __init__(self, order: FetchOrder, digests: Digests) -> None:
        self.order = order
        self.part = PartFile(order.target, f"{order.md5} {order.sha256}")
        self._digests = digests

    async def attempt(self, client: httpx.AsyncClient) -> None:
        """Ask for what is missing, check the whole, put it in its place. Raises FetchError."""
        headers = await asyncio.to_thread(self.part.headers)
        async with self._explained(), client.stream("GET", self.order.url, headers=headers) as response:
            offset, total = await self._judge(response)
            size = await self._receive(response, offset)
            if size < total:
                raise self._failure("sent only a part of the file; it goes on from there", retryable=True)
            is_whole = not offset and _tells_its_end(response)
        await self._finish(is_whole)

    async def _judge(self, response: httpx.Response) -> tuple[int, int]:
        """Where in the file this answer's body begins, and how long the file is (0: not told)."""
        status = response.status_code
        if status == 304:
            raise self._failure("still has the file whose digest was wrong; put the right one there")
        if status == 416 or (status == 206 and _range(response)[0] != self.part.size):
            await asyncio.to_thread(self.part.drop)
            raise self._failure("could not go on where it broke off; it begins anew", retryable=True)
        if status not in (200, 206):
            retryable = status in TEMPORARY or status >= 500
            raise self._failure(f"answered with HTTP {status}; check the address", retryable=retryable)
        offset, total = _range(response) if status == 206 else (0, _length(response))
        if total > self.order.max_bytes:
            raise await self._too_large()
        return offset, total

    async def _receive(self, response: httpx.Response, offset: int) -> int:
        validator = response.headers.get("etag") or response.headers.get("last-modified") or ""
        validator = validator if validator.isascii() else ""  # it must go back in a header
        size = offset
        with await asyncio.to_thread(self.part.open, offset, validator) as file:
            async for piece in response.aiter_raw():
                size += len(piece)
                if size > self.order.max_bytes:
                    raise await self._too_large()
                await asyncio.to_thread(file.write, piece)
        return size

    async def _finish(self, is_whole: bool) -> None:
        if fault := await asyncio.to_thread(misfit, self.part.path, self._digests):
            # Only bytes that surely came whole, from one answer, say something about the server's file.
            await asyncio.to_thread(self.part.refuse if is_whole else self.part.drop)
            raise self._failure(
                f"has another file than the config says: {fault}; correct the digest or the file",
                retryable=not is_whole,
            )
        await asyncio.to_thread(self.part.publish)

    async def _too_large(self) -> FetchError:
        await asyncio.to_thread(self.part.drop)
        return self._failure(
            f"has more than {self.order.max_bytes} bytes, the most that a package may have (`limits.package`)"
        )

    def _failure(self, what: str, *, retryable: bool = False) -> FetchError:
        return FetchError(f"{self.order.shown_url} {what}", retryable=retryable)

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.TooManyRedirects:
            raise self._failure(
                f"leads on more than {MOST_REDIRECTS} times; give the address it ends at"
            ) from None
        except httpx.UnsupportedProtocol:
            raise self._failure("leads to an address that is neither http nor https; give another") from None
        except httpx.TimeoutException:
            raise self._failure("does not answer in time; check the network", retryable=True) from None
        except httpx.TransportError as error:
            cause = str(error).partition("] ")[2] or str(error) or type(error).__name__  # without its number
            raise self._failure(f"cannot be had ({cause}); check the network", retryable=True) from None


def _range(response: httpx.Response) -> tuple[int, int]:
    """Where the bytes of a 206 begin (-1: it does not say), and of how many they are (0: unknown)."""
    match = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    return (int(match[1]), int(match[2]) if match[2] != "*" else 0) if match else (-1, 0)


def _length(response: httpx.Response) -> int:
    text = response.headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _tells_its_end(response: httpx.Response) -> bool:
    """Whether a connection that broke in the middle would have been noticed."""
    return "content-length" in response.headers or "transfer-encoding" in response.headers
