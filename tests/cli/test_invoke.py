"""`fnhost invoke`."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.running import DEADLINE, command, environment, fnhost, on_terminal
from tests.cli.stub_host import Prepared, StubHost

PATH = "POST /invoke/industry"


@pytest.fixture
def answering(stub: StubHost) -> StubHost:
    """A host whose `industry` answers."""
    stub.answers[PATH] = Prepared(b'{"temperature": 69}')
    return stub


def test_data_is_sent_as_it_is_and_the_answer_printed_as_it_is(answering: StubHost) -> None:
    result = fnhost(answering.url, "invoke", "industry", "-d", '{"t":1, "名":"值"}')
    assert (result.exit_code, result.stdout_bytes) == (0, b'{"temperature": 69}')
    assert answering.seen[0].body.decode() == '{"t":1, "名":"值"}'
    assert "content-type" not in answering.seen[0].headers


def test_the_content_type_is_passed_on(answering: StubHost) -> None:
    fnhost(answering.url, "invoke", "industry", "-d", "x", "--content-type", "text/plain")
    assert answering.seen[0].headers["content-type"] == "text/plain"


def test_data_can_come_from_a_file(answering: StubHost, tmp_path: Path) -> None:
    (tmp_path / "event.bin").write_bytes(b"\x00\xff\n")
    assert fnhost(answering.url, "invoke", "industry", "-d", f"@{tmp_path}/event.bin").exit_code == 0
    assert answering.seen[0].body == b"\x00\xff\n"


def test_a_file_that_is_not_there_is_wrong_usage(answering: StubHost, tmp_path: Path) -> None:
    result = fnhost(answering.url, "invoke", "industry", "-d", f"@{tmp_path}/none")
    assert (result.exit_code, result.stderr) == (
        2,
        f"Error: {tmp_path}/none cannot be read (No such file or directory); name another: -d @FILE\n",
    )


@pytest.mark.parametrize("words", [[], ["-d", "@-"]])
def test_data_can_come_from_stdin(answering: StubHost, words: list[str]) -> None:
    fnhost(answering.url, "invoke", "industry", *words, stdin=b"\x00event\n")
    assert answering.seen[0].body == b"\x00event\n"


def test_no_data_is_an_empty_event(answering: StubHost) -> None:
    assert fnhost(answering.url, "invoke", "industry", "-d", "").exit_code == 0
    assert answering.seen[0].body == b""


def test_a_binary_answer_comes_through_a_pipe_unchanged(stub: StubHost) -> None:
    stub.answers[PATH] = Prepared(b"\xff\x00\x1b", content_type="application/octet-stream")
    words = command("invoke", "industry", "-d", "x")
    done = subprocess.run(words, env=environment(FNHOST_URL=stub.url), capture_output=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\xff\x00\x1b", b"")


def test_on_a_terminal_the_answer_ends_its_line(answering: StubHost) -> None:
    code, seen = on_terminal(["invoke", "industry", "-d", "x"], environment(FNHOST_URL=answering.url))
    assert (code, seen) == (0, '{"temperature": 69}\r\n')


def test_a_function_that_raised_is_told_with_its_stack(stub: StubHost) -> None:
    problem = {
        "status": 500, "detail": "industry raised ValueError: no t", "errorType": "ValueError",
        "errorMessage": "no t", "stackTrace": ['  File "index.py", line 3, in index\n'], "requestId": "abc",
    }  # fmt: skip
    stub.prepare(PATH, problem, 500)
    result = fnhost(stub.url, "invoke", "industry", "-d", "{}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        'Error: industry raised ValueError: no t\n  File "index.py", line 3, in index\nrequest id: abc\n'
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 1), (404, 4), (413, 1), (422, 1), (429, 6), (500, 1), (502, 1), (503, 6), (504, 6)],
)
def test_the_exit_code_tells_the_cause(stub: StubHost, status: int, code: int) -> None:
    stub.prepare(PATH, {"status": status, "title": "It failed"}, status)
    result = fnhost(stub.url, "invoke", "industry", "-d", "{}")
    assert (result.exit_code, result.stderr) == (code, "Error: It failed\n")


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_functions_own_answer_is_printed_whatever_its_status(stub: StubHost, status: int) -> None:
    stub.answers[PATH] = Prepared(b"teapot", status, "text/plain")
    result = fnhost(stub.url, "invoke", "industry", "-d", "{}")
    assert (result.exit_code, result.stdout) == (1, "teapot")
    assert result.stderr == (
        f"Error: industry answered with HTTP {status}; `fnhost logs industry` may say why\n"
    )


@pytest.mark.parametrize(
    ("target", "path"),
    [("industry@2", "/invoke/industry@2"), ("工业@live", "/invoke/%E5%B7%A5%E4%B8%9A@live")],
)
def test_revisions_aliases_and_chinese_names_reach_the_host(stub: StubHost, target: str, path: str) -> None:
    stub.answers[f"POST {path}"] = Prepared(b"1")
    assert fnhost(stub.url, "invoke", target, "-d", "{}").stdout == "1"


def test_an_event_can_be_left_with_the_host_and_where_to_look_is_printed(stub: StubHost) -> None:
    stub.prepare(PATH, {"id": "abc", "state": "waiting", "location": "/api/invocations/abc"}, 202)
    words = ["--async", "--callback", "http://127.0.0.1:9/done", "-d", "{}"]
    result = fnhost(stub.url, "invoke", "industry", *words)
    assert (result.exit_code, result.stdout) == (0, f"{stub.url}/api/invocations/abc\n")
    headers = stub.seen[0].headers
    assert (headers["x-invocation-type"], headers["x-callback-url"]) == ("async", "http://127.0.0.1:9/done")


def test_a_host_whose_disk_takes_nothing_is_told_with_its_reason(stub: StubHost) -> None:
    stub.prepare(PATH, {"status": 503, "detail": "the disk is full"}, 503)
    result = fnhost(stub.url, "invoke", "industry", "--async", "-d", "{}")
    assert (result.exit_code, result.stdout, result.stderr) == (6, "", "Error: the disk is full\n")


def test_a_callback_without_async_is_wrong_usage(answering: StubHost) -> None:
    result = fnhost(answering.url, "invoke", "industry", "--callback", "http://127.0.0.1:9/", "-d", "{}")
    assert (result.exit_code, answering.seen) == (2, [])
