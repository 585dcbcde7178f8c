"""Who may invoke a function, decided once and looked up from then on."""

from dataclasses import replace
from pathlib import Path

import pytest

from host.access.audit import newest_records
from host.access.guard import Rules
from host.access.routes import NEEDS
from host.access.sign_in_codes import SignInCodes
from host.access.token_text import make_token
from tests.access.doors import BEYOND, LOOPBACK, SECRET, Door
from triggers.refusals import InvalidTokenError, NoTokenError, ScopeError, TooManyAttemptsError


def test_on_loopback_a_caller_without_a_token_is_its_address(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.admit("industry", peer="127.0.0.5") == "127.0.0.5"
    door = Door(tmp_path, Rules(loopback=True, invoke_open=False, allow_anonymous=False))
    with pytest.raises(NoTokenError, match="fnhost token create"):
        door.admit("industry")


def test_a_token_admits_to_its_functions_by_any_of_their_names(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    token = door.token("invoke:industry", name="line-3")[1]
    for target in ("industry", "industry@2", "industry@live"):
        assert door.admit(target, token) == "token:line-3"
    assert door.admit("industry", SECRET) == "local"
    with pytest.raises(NoTokenError):
        door.admit("industry")


def test_an_unknown_function_and_a_forbidden_one_are_refused_alike(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    _, token = door.token("invoke:industry", "read")
    with pytest.raises(ScopeError, match="this needs a token with the scope invoke:工业") as caught:
        door.admit("工业", token)
    assert caught.value.status == 403
    assert caught.value.challenge.endswith('error="insufficient_scope", scope="invoke:%E5%B7%A5%E4%B8%9A"')


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_who_was_admitted_is_refused_once_the_token_has_ended(tmp_path: Path, end: str) -> None:
    door = Door(tmp_path, BEYOND)
    token_id, token = door.token("invoke:*", lifetime=60.0)
    closed: list[str] = []
    watcher = door.guard.identify(f"Bearer {token}".encode(), "")
    other = door.guard.identify(f"Bearer {SECRET}".encode(), "")
    _, cookie_of = door.sessions.begin(watcher)
    assert door.admit("industry", token) == door.admit("industry", token)
    with (
        door.guard.watching(watcher, lambda: closed.append("theirs")),
        door.guard.watching(other, lambda: closed.append("ours")),
    ):
        if end == "revoked":
            door.tokens.revoke(token_id)
        else:
            door.clock.now += 60
        door.guard.forget()
        assert closed == ["theirs"]
    with pytest.raises(InvalidTokenError, match="expired or revoked"):
        door.admit("industry", token)
    assert cookie_of.identity.token == token_id


def test_a_session_ends_with_its_token_and_with_its_time(tmp_path: Path) -> None:
    door = Door(tmp_path)
    token_id, token = door.token("read")
    value, session = door.sessions.begin(door.guard.identify_token(token, ""))
    mine, _ = door.sessions.begin(door.guard.identify_token(SECRET, ""))
    assert door.guard.session(value) == session
    door.tokens.revoke(token_id)
    assert door.guard.session(value) is None and door.guard.session(mine) is not None
    door.clock.now += 12 * 3600
    assert door.guard.session(mine) is None


def test_sessions_outlive_the_host_as_long_as_their_tokens(tmp_path: Path) -> None:
    door = Door(tmp_path, Rules(loopback=False, invoke_open=False, allow_anonymous=True))
    token_id, token = door.token("read")
    revoked_id, revoked = door.token("admin")
    who = [door.guard.identify_token(each, "") for each in (token, revoked, SECRET, make_token())]
    begun = [door.sessions.begin(each) for each in who]
    door.sessions.save()
    kept = (tmp_path / "sessions.json").read_text()
    assert not any(secret in kept for value, session in begun for secret in (value, session.csrf))
    assert (tmp_path / "sessions.json").stat().st_mode & 0o777 == 0o600

    door.tokens.revoke(revoked_id)
    again = Door(tmp_path)
    again.tokens.load()
    again.sessions.load(again.guard.identify_again)
    found = [again.guard.session(value) for value, _ in begun]
    assert [each and each.identity.name for each in found] == [f"token:{token_id}", None, "local", None]
    assert found[0] is not None and not found[0].identity.may("admin")
    assert found[0].knows(begun[0][1].csrf) and not found[0].knows("")
    again.clock.now += 12 * 3600
    again.sessions.load(again.guard.identify_again)
    assert not any(again.guard.session(value) for value, _ in begun)


def test_sessions_that_cannot_be_read_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sessions.json").write_text('{"version": 1, "sessions": [{"digest": 1}]}')
    door = Door(tmp_path)
    door.sessions.load(door.guard.identify_again)
    assert "sign in again" in caplog.text
    value, _ = door.sessions.begin(door.guard.identify_token(SECRET, ""))
    door.sessions.save()
    again = Door(tmp_path)
    again.sessions.load(again.guard.identify_again)
    assert again.guard.session(value) is not None


def test_a_code_signs_in_once_and_soon(tmp_path: Path) -> None:
    door = Door(tmp_path)
    codes, local = SignInCodes(door.clock), door.guard.identify_token(SECRET, "")
    code = codes.make(local)
    assert (codes.use("other"), codes.use(code), codes.use(code)) == (None, local, None)
    late = codes.make(local)
    door.clock.now += 300
    assert codes.use(late) is None
    many = [codes.make(local) for _ in range(17)]
    assert codes.use(many[0]) is None and codes.use(many[1]) is local


def test_wrong_tokens_are_limited_by_address_and_keep_no_right_one_out(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    _, token = door.token("invoke:*")
    for _ in range(10):
        with pytest.raises(InvalidTokenError):
            door.admit("industry", make_token(), "10.0.0.1")
    with pytest.raises(TooManyAttemptsError) as caught:
        door.admit("industry", make_token(), "10.0.0.1")
    assert caught.value.status == 429 and caught.value.retry_after == pytest.approx(6.0)
    assert door.admit("industry", token, "10.0.0.1")
    with pytest.raises(InvalidTokenError):
        door.admit("industry", make_token(), "10.0.0.2")
    door.clock.now += 6.1
    with pytest.raises(InvalidTokenError):
        door.admit("industry", make_token(), "10.0.0.1")


def test_an_ipv6_network_shares_its_attempts(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    for number in range(10):
        with pytest.raises(InvalidTokenError):
            door.admit("industry", make_token(), f"2001:db8::{number:x}")
    with pytest.raises(TooManyAttemptsError):
        door.admit("industry", make_token(), "2001:db8::ffff")
    with pytest.raises(InvalidTokenError):
        door.admit("industry", make_token(), "2001:db8:0:1::1")


def test_failed_attempts_are_written_down_some_each_minute_without_the_token(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    tried = [make_token() for _ in range(40)]
    for number, token in enumerate(tried):
        with pytest.raises(InvalidTokenError):
            door.admit("industry", token, f"10.0.0.{number}")
    assert len(newest_records(tmp_path, 100)) == 30
    door.clock.now += 60
    with pytest.raises(InvalidTokenError):
        door.admit("industry", make_token(), "10.0.1.1")
    *_, more, newest = newest_records(tmp_path, 100)
    assert more["target"] == "10 more within a minute"
    assert (newest["actor"], newest["peer"], newest["outcome"]) == ("anonymous", "10.0.1.1", "wrong token")
    assert not any(token in (tmp_path / "refused.log").read_text() for token in tried)


def test_another_scheme_than_bearer_is_meant_for_somebody_else(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.guard.identify(b"Basic dXNlcjpwYXNz", "") is door.guard.anonymous
    assert door.guard.identify(f"bearer  {SECRET} ".encode(), "").name == "local"
    with pytest.raises(InvalidTokenError):
        door.guard.identify(b"Bearer \xff", "")


def test_who_allows_everybody_asks_for_no_token_and_minds_no_wrong_one(tmp_path: Path) -> None:
    door = Door(tmp_path, Rules(loopback=False, invoke_open=True, allow_anonymous=True))
    assert door.admit("industry", make_token(), "10.0.0.1") == "10.0.0.1"
    assert door.guard.anonymous.may("admin")


def open_to(door: Door, *scopes: str) -> set[str]:
    """The routes that a token with these scopes may call; without any: nobody's token."""
    identity = door.guard.anonymous
    if scopes:
        identity = door.guard.identify_token(door.token(*scopes)[1], "")
    return {route for route, need in NEEDS.items() if need.is_met(identity, "industry")}


FILES = {"GET /static/{name}", "GET /static/{folder}/{name}"}
PAGES = {"GET /", "GET /api", "GET /console/", "GET /console/{page}", "GET /console/{page}/{item}"}
"""They see for themselves who asks."""
BARE = {"GET /livez", "GET /readyz", *PAGES, *FILES}
SESSIONS = {"GET /api/session", "POST /api/session", "DELETE /api/session"}
LOOKS = {"GET /queue_size_metrics"}
RESULTS = {
    "GET /api/invocations/{id}",
    "GET /api/invocations/{id}/result",
    "DELETE /api/invocations/{id}",
}
DEPLOYS = {
    "POST /api/functions",
    "DELETE /api/functions/{name}",
    "POST /api/functions/{name}/scale",
}
TRY = {"POST /api/functions/{name}/try"}


def test_without_a_token_only_signs_of_life_and_own_results_are_to_be_had(tmp_path: Path) -> None:
    opened = BARE | SESSIONS | LOOKS | RESULTS | TRY
    assert open_to(Door(tmp_path)) == opened | {"GET /metrics"}
    assert open_to(Door(tmp_path, replace(LOOPBACK, metrics_open=False))) == opened
    assert open_to(Door(tmp_path, BEYOND)) == BARE | SESSIONS


def test_a_token_opens_the_routes_of_its_scopes(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    everywhere = BARE | SESSIONS
    assert open_to(door, "invoke:other") == everywhere | RESULTS
    assert open_to(door, "invoke:industry") == everywhere | RESULTS | TRY
    assert open_to(door, "deploy:industry") == everywhere | DEPLOYS
    assert open_to(door, "deploy:other") == everywhere | {"POST /api/functions"}
    assert open_to(door, "admin") == set(NEEDS)
    reads = {route for route in NEEDS if route.startswith("GET ")}
    reads |= {"POST /api/records/{id}/replay", "POST /api/session/code"}
    # These see for themselves whether the caller may invoke the function, too.
    reads |= {f"{verb} /api/functions/{{name}}/saved-events" for verb in ("PUT", "DELETE")}
    assert open_to(door, "read") == (reads | everywhere) - {
        "GET /api/tokens",
        "GET /api/audit",
        "GET /api/audit/chain",
        "GET /api/config",
        "GET /api/config/schema",
        "GET /api/mqtt/listen",
        "GET /api/functions/{name}/revisions/{number}/setup",
    }


def test_a_token_evicts_its_own_sessions_only_and_what_they_read_ends(tmp_path: Path) -> None:
    door = Door(tmp_path)
    _, token = door.token("read")
    operators, _ = door.sessions.begin(door.guard.identify_token(SECRET, ""))
    identity, closed = door.guard.identify_token(token, ""), []
    first, session = door.sessions.begin(identity)
    with door.guard.watching(session, lambda: closed.append("first")):
        later = [door.sessions.begin(identity)[0] for _ in range(7)]
        door.guard.end_requests()
        assert door.guard.session(first) is not None and not closed
        later.append(door.sessions.begin(identity)[0])
        door.guard.end_requests()
    assert closed == ["first"] and door.guard.session(first) is None
    assert all(door.guard.session(each) for each in [operators, *later])


def test_what_is_kept_of_callers_who_were_admitted_is_bounded_in_bytes(tmp_path: Path) -> None:
    door = Door(tmp_path, BEYOND)
    _, token = door.token("invoke:*")
    assert door.admit("industry", token) == door.admit("industry", " " * 30_000 + token)
    assert [target for _, target in door.guard._admitted] == ["industry"]
    assert max(len(authorization) for authorization, _ in door.guard._admitted) < 100
