"""Tokens without a host: what `fnhost token --state` does, with the answers that the API would give."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host.access.audit import Actor, AuditLog, Deed
from host.access.orders import describe, read_order, show
from host.access.scopes import LOCAL
from host.access.token_file import FILE, AccessFileError
from host.access.tokens import TokenError, Tokens, UnknownTokenError
from host.state import StateDir, StateError, check_owner

Json = dict[str, Any]


class KeeperError(Exception):
    """The tokens of this folder cannot be looked at or changed; the text is one sentence."""


@contextmanager
def open_state(folder: Path) -> Iterator["Keeper"]:
    """The tokens of a state folder that no host uses; raises KeeperError, also from within the block."""
    state = StateDir(folder.absolute())
    audit = AuditLog(state.root, time.time)
    try:
        check_owner(state.root)
        state.lock()
        audit.open()
        tokens = Tokens(state.root / FILE, time.time)
        tokens.load()
        yield Keeper(tokens, audit)
    except StateError as error:
        raise KeeperError(f"{error}; to talk to a host that runs, leave --state away") from None
    except (AccessFileError, TokenError, UnknownTokenError, ValueError) as error:
        raise KeeperError(str(error)) from None
    except OSError as error:
        raise KeeperError(
            f"{folder} cannot be used: {error.strerror}; `fnhost doctor --state {folder}` says more"
        ) from None
    finally:
        audit.close()
        state.unlock()


class Keeper:
    """Does what `host.client.client.Client` has done by a host."""

    def __init__(self, tokens: Tokens, audit: AuditLog) -> None:
        self._tokens = tokens
        self._audit = audit

    def tokens(self) -> list[Json]:
        """Every token."""
        return [show(row, time.time()) for row in self._tokens.rows()]

    def create_token(self, scopes: Sequence[str], expires: str | None, name: str) -> Json:
        """Make one."""
        order = read_order({"scopes": list(scopes), "expires": expires, "name": name})
        row, token = self._tokens.create(order)
        self._audit.record(Actor(LOCAL.name), Deed("token.create", describe(row)))
        return {**show(row, time.time()), "token": token}

    def revoke_token(self, token_id: str) -> Json:
        """Have one open nothing."""
        row = self._tokens.revoke(token_id)
        self._audit.record(Actor(LOCAL.name), Deed("token.revoke", describe(row)))
        return show(row, time.time())
