"""Reads the small JSON bodies of the management API, and writes its lines."""

import asyncio
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from runtime.worker.json_depth import is_deeper

MAX_SMALL_BODY = 64 * 1024
LONG = 1024 * 1024
"""Bytes of a body that is read in a thread, since events would wait for it."""
DEEPEST = 16
"""How deep a body may be nested; none of ours needs more than two."""


async def read_object(request: Request, most: int = MAX_SMALL_BODY, deepest: int = DEEPEST) -> dict[str, Any]:
    """The JSON object in the body; raises HTTPException for anything else, and for too large a one."""
    gathered = bytearray()
    async for chunk in request.stream():
        gathered += chunk
        if len(gathered) > most:
            raise HTTPException(413, f"the body may have {most} bytes at most")
    if len(gathered) > LONG:
        return await asyncio.to_thread(_read, bytes(gathered), deepest)
    return _read(bytes(gathered), deepest)


def _read(text: bytes, deepest: int) -> dict[str, Any]:
    if is_deeper(text, deepest):
        raise HTTPException(400, f"the body is nested more than {deepest} deep")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON; send an object") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body is not a JSON object; send one")
    return body


def json_line(value: dict[str, Any]) -> bytes:
    """One line of an answer that comes line by line."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
