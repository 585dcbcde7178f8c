"""Why a request to a host did not succeed."""

from typing import Any

Json = dict[str, Any]


class ClientError(Exception):
    """A request that did not succeed; the text is one sentence with the remedy."""


class UrlError(ClientError):
    """The address given is not a URL that a host can have."""


class UnreachableError(ClientError):
    """Nobody answers there, or not in time, or it is not a host, or the connection broke."""


class RefusedError(ClientError):
    """The host said no; `status` is HTTP's, `problem` the body of the answer (RFC 9457)."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(
            str(
                problem.get("detail")
                or problem.get("title")
                or f"the host answered with HTTP {status}; its own log says more"
            )
        )
        self.status = status
        self.problem = problem
