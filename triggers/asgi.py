"""What a server hands an ASGI application, and what ours offers beyond that."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXCHANGE = "fnhost.exchange"
"""The extension of `host/web/exchange.py`: one request and its answer, beside ASGI's messages."""


class Exchange(Protocol):
    """What the extension does."""

    def body(self) -> bytes | None:
        """The request's body if all of it is here already; None: receive it as ASGI has it."""

    def tell(self, headers: bytes) -> None:
        """Send these lines, each with its CR LF, with a whole answer as well."""

    def answer(self, status: int, headers: bytes, body: bytes) -> bool:
        """Send a whole answer in one write; False where it must wait for the caller to read the last one."""

    def when_gone(self, forget: Callable[[], object]) -> None:
        """Call `forget` when the caller hangs up before its answer is complete; at once if it has."""

    def end_by_closing(self) -> bool:
        """Have the answer end with the connection if the caller knows no chunks; whether it does."""

    def close(self, whole: bool) -> None:
        """End such an answer; or any that is not whole, so that its caller sees that it is cut."""


def exchange_of(scope: Scope) -> Exchange | None:
    """The server's exchange, if it has the extension."""
    extensions = scope.get("extensions")
    return extensions.get(EXCHANGE) if extensions else None
