"""Tokens: how they read, what is kept of them, when they end."""

import json
import os
import stat
from pathlib import Path

import pytest

from host.access import tokens as module
from host.access.scopes import parse_scope, parse_scopes
from host.access.token_file import FILE, AccessFileError
from host.access.token_text import is_well_formed, make_token
from host.access.tokens import TokenError, TokenOrder, Tokens, UnknownTokenError
from tests.access.doors import Clock

ORDER = TokenOrder(parse_scopes(["invoke:industry", "read"]), 3600.0, "line-3")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Tokens:
    return Tokens(tmp_path / FILE, clock)


def again(tokens: Tokens, tmp_path: Path) -> Tokens:
    """What another process reads from the same file."""
    found = Tokens(tmp_path / FILE, tokens.clock)
    found.load()
    return found


def test_a_token_has_a_prefix_256_random_bits_and_check_digits() -> None:
    token = make_token()
    assert token.startswith("fnh_") and len(token) == 53 and token.isascii()
    assert token[4:].isalnum() and is_well_formed(token) and make_token() != token
    for wrong in (token[:-1], token + "0", token.swapcase(), "fnh_" + "0" * 49 + "1", "", "é" * 53):
        assert not is_well_formed(wrong)


def test_a_token_is_found_after_a_restart_and_only_its_digest_is_on_disk(
    tokens: Tokens, tmp_path: Path
) -> None:
    row, token = tokens.create(ORDER)
    assert (row.name, [str(each) for each in row.scopes]) == ("line-3", ["invoke:industry", "read"])
    assert again(tokens, tmp_path).find(token) == row
    text = (tmp_path / FILE).read_text()
    assert token not in text and token[4:20] not in text and row.digest in text
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert tokens.find(make_token()) is None and tokens.find("fnh_x") is None


def test_a_token_opens_nothing_from_the_second_on_in_which_it_expires(tokens: Tokens, clock: Clock) -> None:
    _, token = tokens.create(ORDER)
    assert tokens.has_live() and tokens.next_expiry() == clock.now + 3600
    clock.now += 3599.9
    assert tokens.find(token) is not None
    clock.now += 0.1
    assert tokens.find(token) is None
    assert not tokens.has_live() and tokens.next_expiry() is None


def test_a_revoked_token_stays_revoked(tokens: Tokens, tmp_path: Path) -> None:
    row, token = tokens.create(ORDER)
    tokens.revoke(row.id)
    assert tokens.find(token) is None and again(tokens, tmp_path).find(token) is None
    assert [each.revoked for each in again(tokens, tmp_path).rows()] == [tokens.clock()]
    with pytest.raises(UnknownTokenError, match="fnhost token list"):
        tokens.revoke("nobody")


def test_a_full_disk_keeps_no_stolen_token_in_service(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, token = tokens.create(ORDER)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_rows", refuse)
    with pytest.raises(OSError):
        tokens.revoke(row.id)
    assert tokens.find(token) is None
    with pytest.raises(OSError):
        tokens.create(ORDER)
    assert len(tokens.rows()) == 1


def test_the_last_use_is_known_by_the_minute_and_written_when_told_to(
    tokens: Tokens, tmp_path: Path, clock: Clock
) -> None:
    row, token = tokens.create(ORDER)
    before = (tmp_path / FILE).stat().st_ino
    tokens.find(token)
    (shown,) = tokens.rows()
    assert shown.last_used == clock.now // 60 * 60 and row.last_used is None
    assert (tmp_path / FILE).stat().st_ino == before
    tokens.flush()
    assert again(tokens, tmp_path).rows() == [shown]


def test_dead_tokens_make_room_and_live_ones_do_not(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    first, _ = tokens.create(ORDER)
    second, _ = tokens.create(ORDER)
    with pytest.raises(TokenError, match="revoke one first"):
        tokens.create(ORDER)
    tokens.revoke(second.id)
    third, _ = tokens.create(ORDER)
    assert [each.id for each in tokens.rows()] == [first.id, third.id]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 2, "tokens": []}', '{"version": 1, "tokens": [{"id": "a"}]}']
)
def test_a_damaged_file_lets_nobody_in_and_is_named(text: str, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(AccessFileError, match=FILE):
        Tokens(tmp_path / FILE, clock).load()


def test_what_a_crash_left_half_written_is_not_read(tokens: Tokens, tmp_path: Path) -> None:
    _, token = tokens.create(ORDER)
    os.symlink("/dev/null", tmp_path / f"{FILE}.new")
    _, other = tokens.create(ORDER)
    assert json.loads((tmp_path / FILE).read_text())["version"] == 1
    found = again(tokens, tmp_path)
    assert found.find(token) and found.find(other)


@pytest.mark.parametrize(
    ("scope", "verb", "name", "covered"),
    [
        ("invoke:industry", "invoke", "industry", True),
        ("invoke:industry", "invoke", "industry2", False),
        ("invoke:industry", "deploy", "industry", False),
        ("invoke:*", "invoke", "工业", True),
        ("invoke:line-*", "invoke", "line-3", True),
        ("invoke:line-*", "invoke", "other", False),
        ("deploy:industry", "deploy", "industry", True),
        ("deploy:industry", "invoke", "industry", False),
        ("deploy:industry", "read", "", False),
        ("read", "read", "", True),
        ("read", "invoke", "industry", False),
        ("read", "look", "", True),
        ("invoke:*", "look", "", False),
        ("admin", "deploy", "industry", True),
        ("admin", "admin", "", True),
        ("read", "admin", "", False),
        ("invoke:a", "invoke", "", True),
    ],
)
def test_a_scope_covers_what_it_says(scope: str, verb: str, name: str, covered: bool) -> None:
    assert parse_scope(scope).covers(verb, name) is covered


@pytest.mark.parametrize(
    "text",
    ["", "invoke", "invoke:", "deploy:", "invoke:a b", "invoke:[a]", "read:a", "admin:", "look", "all", "*"],
)
def test_what_is_no_scope_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="invoke:NAME, deploy:NAME"):
        parse_scope(text)
