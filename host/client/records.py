"""Records of invocations, as a program that uses the host's API sees them."""

import re
from typing import Any
from urllib.parse import quote

import httpx

from host.client.client import CONNECT_SECONDS, Client
from host.client.errors import Json, RefusedError

PATH = "/api/records"
IDS = re.compile(r"(?!\.+$)[0-9A-Za-z._-]+")
"""What an invocation can be called; all else would be another path of the API, or none."""


class RecordsClient:
    """Asks the host of `client`; every method raises ClientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def page(self, query: dict[str, Any]) -> Json:
        """The newest `records`, newest first, and `totals` by result; `query` has what they are chosen by."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self._client.ask("GET", PATH, params=asked)

    def attempts(self, event_id: str) -> list[Json]:
        """The records of one event, one for each attempt, the oldest first."""
        found: list[Json] = self._client.ask("GET", _path(event_id))["attempts"]
        return found

    def replay(self, event_id: str, target: str | None) -> Json:
        """Runs the very input again, by the live revision or by `target`, and returns what came of it."""
        path = f"{_path(event_id)}/replay"
        patient = httpx.Timeout(None, connect=CONNECT_SECONDS)
        return self._client.ask("POST", path, params={"on": target} if target else {}, timeout=patient)

    def setup(self, function: str, revision: int) -> Json:
        """What a revision's processes are told when they start, and where its files are."""
        name = quote(function, safe="")
        return self._client.ask("GET", f"/api/functions/{name}/revisions/{revision}/setup")


def _path(event_id: str) -> str:
    if not IDS.fullmatch(event_id):
        told = (
            f"there is no record of {event_id[:64]!r}, which is no id of an invocation; `fnhost"
            " invocations` lists those that have a record (`records:` in the config)"
        )
        raise RefusedError(404, {"detail": told})
    return f"{PATH}/{event_id}"
