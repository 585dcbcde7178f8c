"""What callers have had of functions, in the management API."""

import math
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.usage import Account, Key, Rows, Usage

BY = ("caller", "function")
MOST_SHOWN = 200


class UsageApi:
    """Its one endpoint."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/usage", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Counts `by` caller or function, of the last `seconds` in whole hours, or of all time."""
        by = request.query_params.get("by", "caller")
        if by not in BY:
            raise HTTPException(400, f"`by` is caller or function, not {by[:40]!r}")
        since, rows = self._usage.total(_since(request.query_params.get("seconds")))
        lines = sorted(_grouped(rows, by).items(), key=lambda line: -line[1].events)
        told = [_view(by, name, account) for name, account in lines[:MOST_SHOWN]]
        return JSONResponse({"by": by, "since": since, "usage": told, "total": len(lines)})


def _since(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise HTTPException(400, f"`seconds` is a number of seconds, not {text[:40]!r}")
    return time.time() - seconds


def _grouped(rows: Rows, by: str) -> dict[tuple[str, str], Account]:
    """By trigger and caller, or by function, whatever revision or alias was asked for."""
    told: dict[tuple[str, str], Account] = {}
    for key, account in rows.items():
        told.setdefault(_group(key, by), Account()).add(account)
    return told


def _group(key: Key, by: str) -> tuple[str, str]:
    trigger, caller, target = key
    return (trigger, caller) if by == "caller" else ("", target.partition("@")[0])


def _view(by: str, name: tuple[str, str], account: Account) -> dict[str, Any]:
    named = {"trigger": name[0], "caller": name[1]} if by == "caller" else {"function": name[1]}
    return {
        **named,
        "events": account.events,
        "refused": account.refused,
        "failed": account.failed,
        "bytes_in": account.bytes_in,
        "bytes_out": account.bytes_out,
        "run_ms": round(account.seconds * 1000, 3),
    }
