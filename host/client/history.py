"""The history and the connections of a host, as a program that uses its API sees them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from host.client.client import Client
from host.client.errors import UnreachableError

HISTORY = "/api/metrics"


def export_history(client: Client, query: Mapping[str, str]) -> Iterator[bytes]:
    """The history in the form that `query` names, piece by piece; raises ClientError."""
    return client.fetch(HISTORY, query)


def read_history(client: Client, query: Mapping[str, str]) -> dict[str, Any]:
    """The history as columns of numbers, `series` having them; raises ClientError."""
    return read_object(client, HISTORY, query)


def read_connections(client: Client) -> list[dict[str, Any]]:
    """The connections to brokers; raises ClientError."""
    found = read_object(client, "/api/mqtt", {}).get("connections")
    return found if isinstance(found, list) else []


def read_object(client: Client, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that is answered there; raises ClientError."""
    try:
        answer = json.loads(b"".join(client.fetch(path, query)))
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise UnreachableError(
            f"what answers at {client.url} is no fnhost; say where it is with --url or FNHOST_URL"
        )
    return answer
