"""Answers with a page, compressed where the browser takes that and nobody else can measure it."""

import asyncio
import gzip

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

WORTH, LARGE = 2 * 1024, 64 * 1024
"""Bytes from which on a page is compressed, and from which on beside the event loop."""
LEVEL = 5
ASKED_BY_US = ("", "same-origin", "none")
"""What browsers say of who asks: nothing (plain HTTP), a page of this host, the person themselves."""


async def answer_page(request: Request, text: str, status: int = 200) -> Response:
    """The page; its length tells nothing of what is in it to a site that makes browsers ask for it."""
    content, headers = text.encode("utf-8", "replace"), {"vary": "accept-encoding, sec-fetch-site"}
    if len(content) < WORTH or not _may_be_compressed(request):
        return HTMLResponse(content, status, headers)
    if len(content) < LARGE:
        packed = gzip.compress(content, LEVEL, mtime=0)
    else:
        packed = await asyncio.to_thread(gzip.compress, content, LEVEL, mtime=0)
    return HTMLResponse(packed, status, {**headers, "content-encoding": "gzip"})


def _may_be_compressed(request: Request) -> bool:
    # A page holds a token against forgery beside what the address says: what others ask for stays as it is.
    told = request.headers
    return told.get("sec-fetch-site", "") in ASKED_BY_US and "gzip" in told.get("accept-encoding", "")
