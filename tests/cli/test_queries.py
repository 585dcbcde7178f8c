"""`list`, `describe`, `scale`, `remove` and `logs`."""

import json
import signal
import subprocess
from urllib.parse import quote

import pytest

from tests.cli.running import DEADLINE, command, environment, fnhost, on_terminal
from tests.cli.stub_host import Prepared, StubHost

INDUSTRY = {
    "name": "工业", "revision": 2, "state": "hot", "instances": 1, "wanted": 2, "queued": 3, "in_flight": 4,
    "last_error": "ValueError: [red]no\x1b[31m", "accepts": "text",
}  # fmt: skip
DETAILS = {
    **INDUSTRY,
    "temperature": "warm",
    "scale": {"min": 0, "max": 4, "target": 0.7, "idle": 60.0, "keep_warm": 600.0},
    "fixed": 2,
    "concurrency": 8,
    "threads": 1,
    "batch": {"max_size": 32, "max_wait": 0.005},
    "preload": "always",
    "memory": 2**29,
    "revisions": [
        {"number": 1, "sha256": "ab" * 32, "state": "failed", "error": "no index.py", "created": 1.7e9}
    ],
    "aliases": {"live": 2},
    "instances_detail": [{"slot": 0, "pid": 4711, "state": "idle", "since": 1.7e9}],
    "counters": {"ok": 7, "failed": 1},
}
WHY = {
    "function": "工业",
    "decisions": [
        {"at": 1.7e9, "wanted": 1, "sentence": "1 instance: \x1b[31man event", "inputs": {"waiting": 1}},
        {"at": 1.8e9, "wanted": 3, "sentence": "3 instances", "inputs": {"waiting": 9}},
    ],
}
LINES = [
    {"time": 1.7e9, "level": "info", "id": "0123456789abcdef", "revision": "industry@2", "line": "hello"},
    {"time": 1.7e9, "level": "error", "id": "", "revision": "industry@2", "line": "\x1b]0;owned\x07"},
]
PATH = f"/api/functions/{quote('工业')}"


def test_list_shows_a_table(stub: StubHost) -> None:
    stub.prepare("GET /api/functions", {"functions": [INDUSTRY]})
    header, row = fnhost(stub.url, "list").stdout.splitlines()
    assert header.split()[:4] == ["name", "revision", "state", "instances"]
    assert row.split()[:6] == ["工业", "2", "hot", "1/2", "4", "3"]


@pytest.mark.parametrize(
    ("state", "shown"), [("ready", "hot"), ("cold", "hot"), ("starting", "starting"), ("failing", "failing")]
)
def test_list_shows_how_warm_a_function_is_unless_something_matters_more(
    stub: StubHost, state: str, shown: str
) -> None:
    stub.prepare("GET /api/functions", {"functions": [{**INDUSTRY, "state": state, "temperature": "hot"}]})
    assert fnhost(stub.url, "list").stdout.splitlines()[1].split()[2] == shown


def test_what_is_written_by_a_function_cannot_steer_the_terminal(stub: StubHost) -> None:
    stub.prepare("GET /api/functions", {"functions": [INDUSTRY]})
    assert "[red]no\\x1b[31m" in fnhost(stub.url, "list").stdout


def test_list_as_json_is_what_the_host_said(stub: StubHost) -> None:
    stub.prepare("GET /api/functions", {"functions": [INDUSTRY]})
    assert json.loads(fnhost(stub.url, "list", "-o", "json").stdout) == [INDUSTRY]


def test_an_empty_list_says_what_to_do_on_stderr_only(stub: StubHost) -> None:
    stub.prepare("GET /api/functions", {"functions": []})
    result = fnhost(stub.url, "list")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "fnhost deploy" in result.stderr


def test_describe_shows_revisions_and_instances(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", DETAILS)
    text = fnhost(stub.url, "describe", "工业").stdout
    for part in ("1 of 2 wanted", "live 2", "ok 7, failed 1", "abababababab ", "no index.py", "4711"):
        assert part in text


def test_describe_says_what_the_function_was_told_about_its_instances(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", DETAILS)
    text = fnhost(stub.url, "describe", "工业").stdout
    told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    assert {name: told[name].strip() for name in ("temperature", "scale", "fixed", "threads", "batch")} == {
        "temperature": "warm",
        "scale": "0 to 4 instances, target 0.7, idle 1m, warm 10m",
        "fixed": "2 (`fnhost scale 工业 auto` ends that)",
        "threads": "1 (OMP_NUM_THREADS and others)",
        "batch": "up to 32 events, the first waits 5ms at most",
    }
    assert (told["concurrency"].strip(), told["memory"].strip()) == ("8", "512 MiB")
    assert "whether or not a fork is safe" in told["preload"]


def test_describe_says_nothing_of_rules_where_nothing_runs(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", INDUSTRY)
    text = fnhost(stub.url, "describe", "工业").stdout
    assert "scale:" not in text
    assert "batch:" not in text


def test_describe_as_json_is_what_the_host_said(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}", DETAILS)
    assert json.loads(fnhost(stub.url, "describe", "工业", "-o", "json").stdout) == DETAILS


def test_scale_sends_the_number(stub: StubHost) -> None:
    stub.prepare(f"POST {PATH}/scale", {"instances": 3})
    text = fnhost(stub.url, "scale", "工业", "3").stdout
    assert text == "工业: 3 instances wanted, until `fnhost scale 工业 auto`\n"
    assert json.loads(stub.seen[0].body) == {"instances": 3}
    assert json.loads(fnhost(stub.url, "scale", "工业", "3", "-o", "json").stdout) == {"instances": 3}


def test_scale_auto_leaves_the_number_to_the_load(stub: StubHost) -> None:
    stub.prepare(f"POST {PATH}/scale", {"instances": None})
    assert fnhost(stub.url, "scale", "工业", "auto").stdout == "工业: as many instances as the load needs\n"
    assert json.loads(stub.seen[0].body) == {"instances": None}


def test_why_tells_each_decision_in_a_sentence(stub: StubHost) -> None:
    stub.prepare(f"GET {PATH}/why", WHY)
    lines = fnhost(stub.url, "why", "工业").stdout.splitlines()
    assert [line.split(None, 2)[2] for line in lines] == ["1 instance: \\x1b[31man event", "3 instances"]
    assert json.loads(fnhost(stub.url, "why", "工业", "-o", "json").stdout) == WHY


def test_why_says_so_when_nothing_was_decided_yet(stub: StubHost) -> None:
    stub.prepare("GET /api/functions/a/why", {"function": "a", "decisions": []})
    result = fnhost(stub.url, "why", "a")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing was decided yet" in result.stderr


def test_a_number_that_the_function_may_not_have_is_wrong_usage(stub: StubHost) -> None:
    stub.prepare("POST /api/functions/a/scale", {"status": 409, "detail": "a has at most 4 instances"}, 409)
    result = fnhost(stub.url, "scale", "a", "9")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "Error: a has at most 4 instances\n")


def test_remove_needs_a_yes_where_nobody_can_be_asked(stub: StubHost) -> None:
    result = fnhost(stub.url, "remove", "a")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert stub.seen == []


def test_remove_with_yes_removes(stub: StubHost) -> None:
    stub.prepare(f"DELETE {PATH}", {"removed": "工业"})
    assert fnhost(stub.url, "remove", "工业", "--yes").stdout == "工业 is removed\n"
    assert json.loads(fnhost(stub.url, "remove", "工业", "-y", "-o", "json").stdout) == {"removed": "工业"}


@pytest.mark.parametrize(("typed", "removed", "code"), [(b"y\n", 1, 0), (b"n\n", 0, 1)])
def test_remove_asks_on_a_terminal(stub: StubHost, typed: bytes, removed: int, code: int) -> None:
    stub.prepare("DELETE /api/functions/a", {"removed": "a"})
    exit_code, seen = on_terminal(["remove", "a"], environment(FNHOST_URL=stub.url), typed)
    assert "Remove a with all its revisions?" in seen
    assert (exit_code, len(stub.seen)) == (code, removed)


def test_logs_are_shown_with_time_level_revision_and_invocation(stub: StubHost) -> None:
    stub.prepare_lines("GET /api/functions/industry/logs", LINES)
    first, second = fnhost(stub.url, "logs", "--tail", "5", "industry").stdout.splitlines()
    assert first.split()[2:] == ["info", "industry@2", "01234567", "hello"]
    assert second.endswith("\\x1b]0;owned\\x07")
    assert stub.seen[0].query == {"tail": "5", "follow": "0"}


def test_logs_as_json_are_one_object_per_line(stub: StubHost) -> None:
    stub.prepare_lines("GET /api/functions/industry/logs", LINES)
    text = fnhost(stub.url, "logs", "-o", "json", "industry").stdout
    assert [json.loads(line) for line in text.splitlines()] == LINES


def test_following_a_log_shows_each_line_at_once_and_ends_with_ctrl_c(stub: StubHost) -> None:
    stub.prepare_lines("GET /api/functions/industry/logs", LINES[:1], endless=True)
    words = ["env", "--default-signal=INT", *command("logs", "-f", "industry")]
    env = environment(FNHOST_URL=stub.url)
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"hello" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, output, errors) == (0, b"", b"")
    assert stub.seen[0].query["follow"] == "1"


def test_a_line_of_the_log_may_hold_what_ends_a_line_elsewhere(stub: StubHost) -> None:
    text = "a\u2028b\u2029c\x85d"
    body = json.dumps({**LINES[0], "line": text}, ensure_ascii=False).encode() + b"\n"
    stub.answers["GET /api/functions/industry/logs"] = Prepared(body, content_type="application/x-ndjson")
    told = fnhost(stub.url, "logs", "-o", "json", "industry").stdout
    assert json.loads(told)["line"] == text
