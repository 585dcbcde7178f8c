"""`fnhost dlq`: what it asks the host for, and how it shows what comes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.running import environment, fnhost, on_terminal
from tests.cli.stub_host import StubHost

LETTER: dict[str, Any] = {
    "seq": 12, "kind": "event", "lane": "mqtt/b1/c1/industry", "rule": "telemetry", "function": "industry",
    "event_id": "00" * 16, "attempts": 3, "error_type": "ValueError", "message": "no \x1b[31m",
    "first": 1.7e9, "died": 1.7e9, "size": 8,
}  # fmt: skip
DETAILS = {
    **LETTER, "key": "", "head": {"topic": "in/1", "qos": 1}, "stack": ["index.py, line 7, in index\n"],
    "body": '{"t": 1}', "body_encoding": "text", "body_cut": False,
}  # fmt: skip
PATH = "/api/dead-letters"


def test_list_shows_a_table_that_cannot_steer_the_terminal(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", {"dead_letters": [LETTER], "total": 1})
    header, row = fnhost(stub.url, "dlq", "list").stdout.splitlines()
    assert header.split() == ["seq", "kind", "died", "rule", "function", "attempts", "size", "error"]
    words = row.split()
    assert [*words[:2], *words[4:]] == [
        "12",
        "event",
        "telemetry",
        "industry",
        "3",
        "8",
        "ValueError:",
        "no",
        "\\x1b[31m",
    ]


def test_on_a_terminal_a_long_error_is_cut_and_in_a_pipe_it_is_whole(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", {"dead_letters": [{**LETTER, "message": "far too long " * 40}], "total": 1})
    code, seen = on_terminal(["dlq", "list"], environment(FNHOST_URL=stub.url, COLUMNS="120"))
    (row,) = [line for line in seen.splitlines() if "telemetry" in line]
    assert code == 0 and row.rstrip().endswith("…") and seen.count("far") < 9
    assert fnhost(stub.url, "dlq", "list").stdout.count("far too long") == 40


def test_list_asks_for_a_function_a_rule_and_a_page(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", {"dead_letters": [LETTER], "total": 1})
    words = ("--function", "工业", "--rule", "r 1", "--limit", "5", "--before", "99", "-o", "json")
    assert json.loads(fnhost(stub.url, "dlq", "list", *words).stdout) == [LETTER]
    assert stub.seen[0].query == {"function": "工业", "rule": "r 1", "limit": "5", "before": "99"}


def test_an_empty_list_says_so_on_stderr_only(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", {"dead_letters": [], "total": 0})
    result = fnhost(stub.url, "dlq", "list")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "no dead letter\n", 0)


def test_show_tells_why_it_died_and_what_is_in_it(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}/12", DETAILS)
    text = fnhost(stub.url, "dlq", "show", "12").stdout
    for part in ("ValueError: no \\x1b[31m", "in/1", "line 7, in index", '{"t": 1}', "telemetry"):
        assert part in text
    assert json.loads(fnhost(stub.url, "dlq", "show", "12", "-o", "json").stdout) == DETAILS


def test_show_has_dates_with_their_zone_and_leaves_out_what_is_empty_or_packed(stub: StubHost) -> None:
    meta = {"topic": "in/1", "retain": True, "who": "工业"}
    head = {"received": 1.7e9, "meta": meta, "properties": "AyAA", "qos": 1, "contentType": None}
    stub.prepare(f"GET {PATH}/12", {**DETAILS, "head": head})
    lines = [line.partition(":") for line in fnhost(stub.url, "dlq", "show", "12").stdout.splitlines()]
    told = {name: value.strip() for name, _, value in lines}
    for name in ("received", "first try", "died"):
        assert datetime.fromisoformat(told[name]) == datetime.fromtimestamp(1.7e9, UTC)
    assert json.loads(told["meta"]) == meta and told["qos"] == "1" and told["rule"] == "telemetry"
    assert not {"key", "properties", "contentType"} & set(told)


def test_show_says_how_a_body_that_is_no_text_is_shown(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}/12", {**DETAILS, "body": "/w==", "body_encoding": "base64", "body_cut": True})
    result = fnhost(stub.url, "dlq", "show", "12")
    assert result.stdout.endswith("\n/w==\n")
    assert result.stderr == "(body as base64, its beginning only)\n"


def test_a_letter_that_is_not_there_is_not_found(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}/7", {"status": 404, "detail": "there is no dead letter 7"}, 404)
    result = fnhost(stub.url, "dlq", "show", "7")
    assert (result.exit_code, result.stderr) == (4, "Error: there is no dead letter 7\n")


def test_replay_of_numbers_asks_for_each(stub: StubHost) -> None:
    for seq in (12, 14):
        stub.prepare(f"POST {PATH}/{seq}/replay", {"replayed": 1, "stranded": {}})
    assert fnhost(stub.url, "dlq", "replay", "12", "14").stdout == "2 replayed\n"


@pytest.mark.parametrize(("verb", "done"), [("replay", "2 replayed\n"), ("drop", "2 dropped\n")])
def test_of_many_numbers_each_is_tried_and_each_failure_is_a_line(
    stub: StubHost, verb: str, done: str
) -> None:
    method, end = ("POST", "/replay") if verb == "replay" else ("DELETE", "")
    for seq in (12, 15):
        stub.prepare(f"{method} {PATH}/{seq}{end}", {"replayed": 1, "dropped": 1})
    stub.prepare(f"{method} {PATH}/13{end}", {"status": 503, "detail": "the disk is full"}, 503)
    result = fnhost(stub.url, "dlq", verb, "12", "13", "14", "15", *(["-y"] if verb == "drop" else []))
    first, second = result.stderr.splitlines()
    assert (result.stdout, result.exit_code, len(stub.seen)) == (done, 6, 4)
    assert first == "Error: 13: the disk is full" and second.startswith("Error: 14: there is no ")


def test_numbers_that_were_not_asked_for_since_the_host_is_gone_are_all_named(nowhere: str) -> None:
    result = fnhost(nowhere, "dlq", "replay", "12", "13")
    assert (result.stdout, result.exit_code) == ("0 replayed\n", 3)
    assert result.stderr.startswith("Error: 12, 13: ")


def test_replay_of_a_function_says_what_could_not_be(stub: StubHost) -> None:
    answer = {"replayed": 3, "stranded": {"mqtt/b1/gone/industry": 2}}
    stub.prepare(f"POST {PATH}/replay", answer)
    result = fnhost(stub.url, "dlq", "replay", "--function", "industry", "-o", "json")
    assert stub.seen[0].query == {"function": "industry"}
    assert json.loads(result.stdout) == answer
    assert result.exit_code == 2
    assert "2 of mqtt/b1/gone/industry" in result.stderr


def test_all_of_them_are_meant_only_when_it_is_said(stub: StubHost) -> None:
    for verb in ("replay", "drop"):
        for words in ((), ("3", "--all"), ("--all", "--rule", "r1")):
            result = fnhost(stub.url, "dlq", verb, *words)
            assert (result.exit_code, result.stderr.startswith("Error: say which")) == (2, True)
    assert stub.seen == []
    stub.prepare(f"POST {PATH}/replay", {"replayed": 2, "stranded": {}})
    assert fnhost(stub.url, "dlq", "replay", "--all").stdout == "2 replayed\n"
    assert stub.seen[0].query == {"all": "1"}


def test_drop_needs_a_yes_where_nobody_can_be_asked(stub: StubHost) -> None:
    result = fnhost(stub.url, "dlq", "drop", "12")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert stub.seen == []


def test_drop_with_yes_drops(stub: StubHost) -> None:
    stub.prepare(f"DELETE {PATH}/12", {"dropped": 1})
    stub.prepare(f"DELETE {PATH}", {"dropped": 5})
    assert fnhost(stub.url, "dlq", "drop", "12", "-y").stdout == "1 dropped\n"
    assert fnhost(stub.url, "dlq", "drop", "--rule", "r1", "--yes").stdout == "5 dropped\n"
    assert stub.seen[1].query == {"rule": "r1"}


@pytest.mark.parametrize(("typed", "dropped", "code"), [(b"y\n", 1, 0), (b"n\n", 0, 1)])
def test_drop_asks_on_a_terminal(stub: StubHost, typed: bytes, dropped: int, code: int) -> None:
    stub.prepare(f"DELETE {PATH}", {"dropped": 5})
    exit_code, seen = on_terminal(["dlq", "drop", "--all"], environment(FNHOST_URL=stub.url), typed)
    assert "Throw away dead letters (all)?" in seen
    assert (exit_code, len(stub.seen)) == (code, dropped)
