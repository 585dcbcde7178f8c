"""Why a caller is turned away before its request is looked at, as HTTP says it (RFC 6750, RFC 9110)."""

from urllib.parse import quote

from runtime.events import InvocationError

REALM = 'Bearer realm="fnhost"'


class AccessError(InvocationError):
    """The caller may not do this; `challenge` is what `WWW-Authenticate` says."""

    status = 401
    challenge = REALM


class NoTokenError(AccessError):
    """This needs a token, and the caller sent none."""


class InvalidTokenError(AccessError):
    """What the caller sent is no token, or one that has expired or was revoked."""

    challenge = f'{REALM}, error="invalid_token"'


class ScopeError(AccessError):
    """The caller's token does not allow this; `scope` is what would."""

    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs a token with the scope {scope}")
        # A scope is ASCII there, and names of functions need not be.
        self.challenge = f'{REALM}, error="insufficient_scope", scope="{quote(scope, safe=":*@ ")}"'


class TooManyAttemptsError(InvocationError):
    """Too many wrong tokens came from this address."""

    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__("too many wrong tokens came from this address; wait before the next one")
        self.retry_after = wait
