"""A host that nobody could make a token for makes the first one itself, once."""

import stat
import time
from pathlib import Path

from host.access.first_token import FIRST_FILE, ensure_token
from host.access.keeper import open_state
from host.access.scopes import ADMIN
from host.access.token_file import FILE
from host.access.tokens import Tokens


def test_the_first_token_is_for_the_hosts_user_and_is_made_once(tmp_path: Path) -> None:
    assert ensure_token(tmp_path) and ensure_token(tmp_path)
    file = tmp_path / FIRST_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    tokens = Tokens(tmp_path / FILE, time.time)
    tokens.load()
    row = tokens.find(file.read_text().strip())
    assert row is not None and [str(scope) for scope in row.scopes] == [ADMIN]
    with open_state(tmp_path) as keeper:
        keeper.revoke_token(row.id)
    assert not ensure_token(tmp_path), "whoever revoked it wants no other"
