"""The HTTP side of a bridge: one record per request, of bounded size and in bounded time."""

import asyncio

import httpx

from triggers.bridge.plan import SourcePlan

TIMEOUT = 30.0
MOST_BYTES = 6 * 1024 * 1024


class SourceError(Exception):
    """The source gave no record; the message says why in a few words."""


class HttpSource:
    """Asks for records over one connection that is kept; proxies of the environment are not asked."""

    def __init__(self, plan: SourcePlan) -> None:
        self._plan = plan
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT,
            trust_env=False,
            follow_redirects=True,
            headers={"accept-encoding": "identity", "user-agent": "fnhost"},
        )

    async def fetch(self) -> bytes:
        """The next record as it is, or b"" when the source has none now; raises SourceError."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._read()
        except TimeoutError:
            raise SourceError(f"no whole answer within {TIMEOUT:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(_reason(error)) from None

    async def close(self) -> None:
        """Close its connection."""
        await self._client.aclose()

    async def _read(self) -> bytes:
        async with self._client.stream(self._plan.verb, self._plan.url) as answer:
            if not answer.is_success:
                raise SourceError(f"it answered with HTTP {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise SourceError(f"a record of more than {MOST_BYTES // 1024**2} MiB")
            return bytes(body)


def _reason(error: BaseException) -> str:
    """What the operating system said, where it did: httpx's own words for it are vaguer."""
    deepest: BaseException | None = error
    while deepest is not None:
        if isinstance(deepest, OSError) and deepest.errno is not None:
            return deepest.strerror or str(deepest)
        deepest = deepest.__cause__ or deepest.__context__
    return str(error) or type(error).__name__
