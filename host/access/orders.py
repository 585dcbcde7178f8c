"""Tokens as people ask for them, and as they are shown."""

from typing import Any

from conf.units import parse_duration
from host.access.scopes import parse_scopes
from host.access.token_file import TokenRow
from host.access.tokens import TokenOrder

LONGEST_LIFETIME = 36500 * 86400.0
KEYS = {"scopes", "expires", "name"}

Json = dict[str, Any]


def read_order(told: Json) -> TokenOrder:
    """The token that `{"scopes": […], "expires": "30d", "name": "…"}` asks for; raises ValueError."""
    scopes, lifetime, name = told.get("scopes"), told.get("expires"), told.get("name", "")
    whole = isinstance(scopes, list) and isinstance(lifetime, str | None) and isinstance(name, str)
    if not whole or told.keys() - KEYS:
        raise ValueError('say {"scopes": ["invoke:NAME"], "expires": "30d", "name": "line-3"}')
    seconds = None if lifetime is None else parse_duration(lifetime)
    if seconds is not None and not 0 < seconds <= LONGEST_LIFETIME:
        raise ValueError("a token expires in up to 36500d, or never")
    return TokenOrder(parse_scopes(map(str, told["scopes"])), seconds, name)


def show(row: TokenRow, now: float) -> Json:
    """As API and command line show it: everything but the digest."""
    state = "revoked" if row.revoked is not None else "live" if row.is_live(now) else "expired"
    return {**row.shown(), "state": state}


def describe(row: TokenRow) -> str:
    """As the audit log names it."""
    return f"id={row.id} scopes={','.join(map(str, row.scopes))}"
