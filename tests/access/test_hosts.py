"""Access on a real host: what needs a token, what a token allows, and when it ends."""

import asyncio
import json
import os
import signal
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from conf.settings import gather_settings
from host.access.audit import AuditLog, newest_records
from host.access.audit_chain import read_chain
from host.access.gate import Gate
from host.access.guard import Guard
from host.access.routes import NEEDS
from host.access.token_text import make_token
from host.compose import compose
from host.state import StateDir
from tests.cli.running import fnhost
from tests.hosts import PATIENCE, RunningHost, StartHost, wait_until, zip_of

ECHO = {"index.py": "def index(event, context):\n    print(vars(context.event))\n    return event\n"}


def make(host: RunningHost, *scopes: str, **more: Any) -> dict[str, Any]:
    """A new token, as the API tells it."""
    answer = host.client.post(f"{host.url}/api/tokens", json={"scopes": scopes, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearing(token: str | None) -> httpx.Client:
    """A client with this token, or without any."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(headers=headers, timeout=PATIENCE, trust_env=False)


def problem_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, challenge and detail of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.headers.get("www-authenticate", ""), answer.json()["detail"]


def test_every_route_of_the_application_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications: list[Starlette] = []

    def build_gate(app: Starlette, guard: Guard, audit: AuditLog) -> Gate:
        applications.append(app)
        return Gate(app, guard, audit)

    monkeypatch.setattr("host.compose.Gate", build_gate)
    state = StateDir(tmp_path / "state")
    state.lock()

    async def build() -> None:
        compose(gather_settings({"state": str(state.root)}, {}), state)

    asyncio.run(build())
    state.unlock()
    routes = {
        f"{method} {route.path}"
        for route in applications[0].routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == set(NEEDS), "host/access/routes.py says what each route needs; without, it needs admin"


def test_on_loopback_events_need_no_token_and_all_else_does(shared_host: RunningHost) -> None:
    assert shared_host.deploy(ECHO, "open")["type"] == "done"
    with bearing(None) as nobody:
        url = shared_host.url
        assert nobody.post(f"{url}/invoke/open", content=b"1").content == b"1"
        for path in ("/", "/livez", "/queue_size_metrics"):
            assert nobody.get(url + path).status_code == 200
        assert nobody.get(f"{url}/readyz").json()["checks"]
        left = nobody.post(f"{url}/invoke/open", content=b"2", headers={"prefer": "respond-async"})
        assert len(left.json()["id"]) == 32
        result = f"{url}{left.headers['location']}/result"
        assert (
            wait_until(lambda: (got := nobody.get(result)).status_code == 200 and got, "it ran").text == "2"
        )
        package = zip_of(ECHO)
        for refused in (
            nobody.get(f"{url}/api/functions"),
            nobody.get(f"{url}/api/functions/open"),
            nobody.delete(f"{url}/api/functions/open"),
            nobody.post(f"{url}/api/functions?name=mine", content=package),
            nobody.post(f"{url}/api/config", json={}),
            nobody.post(f"{url}/api/tokens", json={"scopes": ["admin"]}),
            nobody.get(f"{url}/api/audit"),
        ):
            status, challenge, said = problem_of(refused)
            assert (status, challenge) == (401, 'Bearer realm="fnhost"') and "fnhost token create" in said
        wrong = nobody.get(f"{url}/api/functions", headers={"authorization": f"Bearer {make_token()}"})
        assert problem_of(wrong)[:2] == (401, 'Bearer realm="fnhost", error="invalid_token"')


def test_a_token_deploys_and_invokes_its_own_functions_only(start_host: StartHost) -> None:
    host = start_host("access: {invoke: token}")
    made = make(host, "deploy:line-*", "invoke:line-1", name="line")
    assert (made["name"], made["state"], made["expires"]) == ("line", "live", None)
    package = zip_of(ECHO)
    with bearing(made["token"]) as mine, bearing(None) as nobody:
        api = f"{host.url}/api/functions"
        told = mine.post(api, params={"name": "line-1"}, content=package).text.splitlines()
        assert json.loads(told[-1])["type"] == "done"
        for other in ("other", "unknown"):
            answer = mine.post(api, params={"name": other}, content=package)
            assert problem_of(answer)[0] == 403 and f'scope="deploy:{other}"' in problem_of(answer)[1]
            assert problem_of(mine.delete(f"{api}/{other}"))[0] == 403
        named = zip_of({**ECHO, "function.yaml": "name: other\n"})
        assert problem_of(mine.post(api, content=named))[0] == 403
        assert list((host.state / "staging").iterdir()) == []
        assert problem_of(mine.get(api))[0] == 403
        assert mine.post(f"{host.url}/invoke/line-1", content=b"1").content == b"1"
        assert problem_of(mine.post(f"{host.url}/invoke/line-2", content=b"1"))[0] == 403
        assert problem_of(nobody.post(f"{host.url}/invoke/line-1", content=b"1"))[0] == 401
        left = mine.post(f"{host.url}/invoke/line-1", content=b"2", headers={"prefer": "respond-async"})
        place = host.url + left.headers["location"]
        assert problem_of(nobody.get(place))[0] == 401
        with bearing(make(host, "invoke:line-2")["token"]) as theirs:
            assert theirs.get(place).status_code == 404
        assert mine.get(place).status_code == 200
        level = host.describe("line-1")["box"]["level"]
        assert mine.delete(f"{api}/line-1").status_code == 200
    records = newest_records(host.state, 100)
    done = [
        (each["action"], each.get("outcome")) for each in records if each["actor"] == f"token:{made['id']}"
    ]
    assert done.count(("deploy", "ok")) == 1 and done.count(("deploy", "403")) == 3
    assert ("remove", "ok") in done and done.count(("remove", "403")) == 2
    (deploy,) = (each for each in records if (each["action"], each["outcome"]) == ("deploy", "ok"))
    assert (deploy["revision"], len(deploy["digest"]), deploy["peer"]) == ("line-1@1", 64, "127.0.0.1")
    assert deploy["isolation"] == level


def test_a_revoked_token_ends_on_open_connections_too(start_host: StartHost) -> None:
    host = start_host("access: {invoke: token}")
    host.deploy(ECHO, "one")
    made = make(host, "invoke:one", "read")
    with bearing(made["token"]) as mine:
        assert mine.post(f"{host.url}/invoke/one", content=b"1").status_code == 200
        followed: list[str] = []
        follower = threading.Thread(target=_follow, args=(host.url, made["token"], followed))
        follower.start()
        wait_until(lambda: followed, "the log is followed")
        head = f"POST /invoke/one HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {made['token']}\r\n"
        with socket.create_connection(("127.0.0.1", httpx.URL(host.url).port or 0)) as raw:
            raw.settimeout(PATIENCE)
            request = f"{head}content-length: 1\r\n\r\n1".encode()
            for _ in range(4):  # by then the head is known, and not parsed again
                raw.sendall(request)
                assert raw.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert host.client.delete(f"{host.url}/api/tokens/{made['id']}").status_code == 200
            raw.sendall(request)
            assert raw.recv(4096).startswith(b"HTTP/1.1 401 ")
        assert mine.post(f"{host.url}/invoke/one", content=b"1").status_code == 401
        assert mine.get(f"{host.url}/api/functions").status_code == 401
        follower.join(PATIENCE)
        assert not follower.is_alive() and followed[-1] == "cut"
    host.kill()
    host.start()
    with bearing(made["token"]) as mine:
        assert mine.get(f"{host.url}/api/functions").status_code == 401


def _follow(url: str, token: str, told: list[str]) -> None:
    try:
        with (
            bearing(token) as client,
            client.stream("GET", f"{url}/api/functions/one/logs?follow=1") as answer,
        ):
            told.extend(answer.iter_lines())
    except httpx.TransportError:
        told.append("cut")


def test_a_token_that_was_used_is_written_nowhere(start_host: StartHost) -> None:
    host = start_host()
    host.deploy(ECHO, "one")
    bad = {"index.py": "def index(event, context):\n    raise ValueError(str(vars(context.event)))\n"}
    host.deploy(bad, "bad")
    made, local = make(host, "admin"), host.local_token()
    with bearing(made["token"]) as mine:
        for name in ("one", "bad"):
            mine.post(f"{host.url}/invoke/{name}", content=b"1")
            left = mine.post(f"{host.url}/invoke/{name}", content=b"1", headers={"prefer": "respond-async"})
            place = f"{host.url}{left.headers['location']}"
            wait_until(partial(_has_ended, mine, place), "it ended")
        session = mine.post(f"{host.url}/api/session", json={"token": made["token"]})
        cookie = session.cookies["fnhost_session"]
        mine.post(f"{host.url}/invoke/one", content=b"1", headers={"cookie": f"fnhost_session={cookie}"})
        shown = [mine.get(host.url + path).text for path in ("/api/tokens", "/api/audit", "/api/functions")]
        shown += [mine.get(f"{host.url}/api/functions/{name}/logs").text for name in ("one", "bad")]
    assert host.stop() == 0
    assert not (host.state / "local.token").exists()
    files = [file for file in host.folder.rglob("*") if file.is_file() and "environments" not in file.parts]
    kept = [file.read_bytes().decode("latin-1") for file in files]
    for secret in (made["token"], local, cookie, session.json()["csrf"]):
        assert not [text for text in [*kept, *shown] if secret in text]
    (row,) = json.loads((host.state / "access.json").read_text())["tokens"]
    assert row["last_used"] % 60 == 0


def _has_ended(client: httpx.Client, place: str) -> bool:
    return client.get(place).json()["finished"] is not None


def test_a_session_reads_by_its_cookie_and_changes_things_from_our_own_pages_only(
    shared_host: RunningHost,
) -> None:
    shared_host.deploy(ECHO, "seen")
    url, made = shared_host.url, make(shared_host, "read", "deploy:seen")
    with bearing(None) as browser:
        assert browser.post(f"{url}/api/session", json={"token": make_token()}).status_code == 401
        foreign = {"origin": "http://elsewhere.example"}
        assert (
            browser.post(f"{url}/api/session", json={"token": made["token"]}, headers=foreign).status_code
            == 403
        )
        assert browser.get(f"{url}/api/session").json()["who"] == "anonymous"
        begun = browser.post(f"{url}/api/session", json={"token": made["token"]}, headers={"origin": url})
        attributes = begun.headers["set-cookie"].lower()
        assert all(each in attributes for each in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
        assert begun.headers["cache-control"] == "no-store"
        told = browser.get(f"{url}/api/session").json()
        assert told["who"] == f"token:{made['id']}"
        anybody = ["look", "invoke:*", "metrics"]
        assert told["scopes"] == ["read", "deploy:seen", *anybody], "the last three, as anybody on loopback"
        assert browser.get(f"{url}/api/functions").status_code == 200
        place, body = f"{url}/api/functions/seen/scale", {"instances": 1}
        ours, csrf = {"origin": url}, {"x-csrf-token": told["csrf"]}
        for headers in ({}, ours, csrf, {**foreign, **csrf}, {**ours, "x-csrf-token": "é"}):
            sent = [(name.encode(), value.encode()) for name, value in headers.items()]
            assert browser.post(place, json=body, headers=sent).status_code == 403, headers
        assert browser.post(place, json=body, headers={**ours, **csrf}).status_code == 200
        same = {"sec-fetch-site": "same-origin", **csrf}
        assert browser.post(place, json={"instances": None}, headers=same).status_code == 200
        cookie = browser.cookies["fnhost_session"]
        assert browser.delete(f"{url}/api/session", headers=same).json() == {"who": "anonymous"}
        gone = browser.get(f"{url}/api/functions", headers={"cookie": f"fnhost_session={cookie}"})
        assert gone.status_code == 401


def test_the_command_line_of_the_hosts_user_needs_no_token_wherever_the_state_is(
    shared_host: RunningHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = shared_host.url
    made = fnhost(url, "token", "create", "--scope", "read", "--expires", "30d", "--name", "desk")
    assert made.exit_code == 0 and made.stdout.startswith("fnh_") and "allows read until 20" in made.stderr
    assert fnhost(url.replace("127.0.0.1", "localhost"), "list").exit_code == 0
    assert "desk" in fnhost(url, "token", "list").stdout
    file = tmp_path / "token"
    file.write_text(made.stdout)
    assert fnhost(url, "list", "--token-file", str(file)).exit_code == 0
    refused = fnhost(url, "token", "list", "--token-file", str(file))
    assert refused.exit_code == 2 and "the scope admin" in refused.stderr
    monkeypatch.setenv("FNHOST_TOKEN", make_token())
    refused = fnhost(url, "list")
    assert refused.exit_code == 2 and "name a token with --token-file or FNHOST_TOKEN" in refused.stderr
    monkeypatch.setenv("FNHOST_TOKEN", "two words")
    assert "no token" in fnhost(url, "list").stderr
    monkeypatch.delenv("FNHOST_TOKEN")
    (row,) = (
        each
        for each in json.loads(fnhost(url, "token", "list", "-o", "json").stdout)
        if each["name"] == "desk"
    )
    assert row["last_used"] and fnhost(url, "token", "revoke", row["id"]).exit_code == 0
    assert fnhost(url, "list", "--token-file", str(file)).exit_code == 2
    assert fnhost(url, "token", "revoke", "nobody").exit_code == 4
    for wrong in (
        ["--scope", "all"],
        ["--scope", "read", "--expires", "soon"],
        ["--scope", "read", "--expires", "0s"],
    ):
        assert fnhost(url, "token", "create", *wrong).exit_code == 2
    seen = fnhost(url, "audit")
    assert "token.create" in seen.stdout and "token.revoke" in seen.stdout and "local" in seen.stdout
    assert "are whole" in fnhost(url, "audit", "--verify").stdout


def test_tokens_are_made_without_a_host_as_well_and_open_the_host_beyond_loopback(
    tmp_path: Path, start_host: StartHost
) -> None:
    state = tmp_path / "host0" / "state"
    words = ["--listen", "0.0.0.0:0", "--state", str(state)]
    refused = fnhost("", "serve", *words)
    assert refused.exit_code == 2 and f"fnhost token create --scope admin --state {state}" in refused.stderr
    made = fnhost("", "token", "create", "--scope", "admin", "--state", str(state), "-o", "json")
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)
    assert gather_settings({"listen": "0.0.0.0:1", "state": str(state)}, {}, lambda _: True).listen_port == 1
    (tmp_path / "host0").rename(tmp_path / "before")
    host = start_host()
    host.stop()
    (tmp_path / "before/state/access.json").rename(state / "access.json")
    host.start()
    with bearing(told["token"]) as mine:
        assert mine.get(f"{host.url}/api/tokens").json()["tokens"][0]["id"] == told["id"]
    busy = fnhost("", "token", "list", "--state", str(state))
    assert busy.exit_code == 2 and "leave --state away" in busy.stderr
    host.stop()
    assert fnhost("", "token", "revoke", told["id"], "--state", str(state)).exit_code == 0
    assert "revoked" in fnhost("", "token", "list", "--state", str(state)).stdout
    assert fnhost("", "serve", *words).exit_code == 2
    assert fnhost("", "audit", "--state", str(state)).stdout.count("token.revoke") == 1
    (state / "access.json").write_text("{")
    assert fnhost("", "serve", *words).exit_code == 2


def test_changes_of_the_config_are_recorded_and_the_chain_holds_through_a_kill(
    start_host: StartHost, tmp_path: Path
) -> None:
    host = start_host("{}\n")
    other = tmp_path / "other.yaml"
    other.write_text("limits: {max_body: 1MiB}\n")
    assert host.client.post(f"{host.url}/api/config", json={"path": str(other)}).status_code == 200
    other.write_text("nonsense: 1\n")
    host.process.send_signal(signal.SIGHUP)
    wait_until(lambda: newest_records(host.state, 1)[0]["action"] == "config.reload", "it is recorded")
    assert host.client.post(f"{host.url}/api/dead-letters/replay?all=1").status_code == 200
    host.kill()
    with (host.state / "audit.log").open("ab") as log:
        log.write(b'{"n":')
    host.start()
    told = [
        (each["actor"], each["action"], each.get("target", ""), each["outcome"])
        for each in newest_records(host.state, 9)
    ]
    assert told[:3] == [
        ("local", "config.apply", str(other), "ok"),
        ("host", "config.reload", "", "refused"),
        ("local", "letters.replay", "all=1", "ok"),
    ]
    assert [each[1] for each in told[3:]] == ["audit.repair"]
    assert read_chain(host.state).faults == []
    assert os.stat(host.state / "audit.log").st_mode & 0o777 == 0o600
