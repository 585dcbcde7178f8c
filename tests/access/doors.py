"""Parts of access as the tests put them together."""

from dataclasses import dataclass, field
from pathlib import Path

from host.access.attempts import Attempts
from host.access.audit import AuditLog
from host.access.gate import WHO, Application
from host.access.guard import Guard, GuardParts, Rules
from host.access.scopes import LOCAL, parse_scopes
from host.access.session_file import FILE as SESSIONS
from host.access.sessions import Sessions
from host.access.token_file import FILE
from host.access.token_text import digest_of
from host.access.tokens import TokenOrder, Tokens
from triggers.asgi import Receive, Scope, Send
from triggers.http import Caller, read_caller

SECRET = "the local token"
LOOPBACK = Rules(loopback=True, invoke_open=True, allow_anonymous=False)
BEYOND = Rules(loopback=False, invoke_open=True, allow_anonymous=False)


@dataclass
class Clock:
    """Seconds since the epoch, as the test says."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Door:
    """A guard with all that it decides by."""

    folder: Path
    rules: Rules = LOOPBACK
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.folder / FILE, self.clock)
        self.audit = AuditLog(self.folder, self.clock)
        self.audit.open()
        self.sessions = Sessions(self.folder / SESSIONS, self.clock)
        attempts = Attempts(self.clock)
        parts = GuardParts(self.rules, self.tokens, self.sessions, attempts, self.audit, digest_of(SECRET))
        self.guard = Guard(parts)

    def token(self, *scopes: str, lifetime: float | None = None, name: str = "") -> tuple[str, str]:
        """A new token: its id, and itself."""
        row, token = self.tokens.create(TokenOrder(parse_scopes(scopes), lifetime, name))
        return row.id, token

    def admit(self, target: str, token: str | None = None, peer: str = "127.0.0.1") -> str:
        """Who calls this function."""
        return self.guard.admit(caller_of(target, token), peer)


def caller_of(target: str, token: str | None) -> Caller:
    """A request for a function."""
    headers = () if token is None else ((b"authorization", f"Bearer {token}".encode()),)
    return read_caller(f"/invoke/{target}", b"", headers)


def as_local(app: Application) -> Application:
    """An ASGI application to which everybody is the host's own user."""

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        scope[WHO] = LOCAL
        await app(scope, receive, send)

    return let_in
