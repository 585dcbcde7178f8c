"""Names of functions, for a shell that completes them: from a running host at once, or none and no word."""

import json
import os
from typing import Any

import click
from click.shell_completion import CompletionItem

from host.cli.options import DEFAULT_URL

SECONDS = 0.5
"""How long a person waits for the host at most."""


def complete_function(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The functions that begin so, with what they are."""
    url = context.params.get("url") or os.environ.get("FNHOST_URL") or DEFAULT_URL
    try:
        functions = _ask(str(url)).get("functions", [])
        return [
            CompletionItem(each["name"], help=each["state"])
            for each in functions
            if each["name"].startswith(incomplete)
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []  # a shell that completes shows no errors


def _ask(url: str) -> Any:
    # Not by httpx, whose import alone takes longer than a person who presses Tab likes.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    from host.access.local_token import find_local_token

    token = os.environ.get("FNHOST_TOKEN")
    if token is None and (found := find_local_token(url, os.environ)) is not None:
        url, token = found.url, found.token
    parts = urlsplit(url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request(
            "GET", "/api/functions", headers={"authorization": f"Bearer {token}"} if token else {}
        )
        return json.loads(connection.getresponse().read())
    except HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()
