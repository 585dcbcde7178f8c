"""`top` and `metrics export`."""

import json
import os
import pty
import subprocess
from pathlib import Path

from rich.cells import cell_len

from tests.cli.running import DEADLINE, command, environment, fnhost, read_until
from tests.cli.stub_host import Prepared, StubHost
from tests.cli.test_queries import INDUSTRY
from tests.hosts import StartHost

HISTORY = "GET /api/metrics"
TOLD = {
    "scope": "function",
    "step": 1,
    "since": 1000,
    "now": 1005.4,
    "columns": [],
    "series": [
        {
            "function": "工业",
            "instance": None,
            "times": [1003, 1004],
            "values": {
                "events": [30, 20],
                "failed": [5, 0],
                "run_p50": [0.001, None],
                "run_p99": [0.25, 1.5],
                "memory": [1, 2**20 * 12],
                "cpu_seconds": [0.5, 0.25],
            },
        }
    ],
}
BUSY = {**INDUSTRY, "name": "busy one"}


def prepare(stub: StubHost) -> None:
    stub.prepare("GET /api/functions", {"functions": [BUSY, INDUSTRY]})
    stub.prepare("GET /api/mqtt", {"connections": [{"connected": True}, {"connected": False}]})
    stub.prepare(HISTORY, TOLD)


def test_top_prints_one_table_where_there_is_no_terminal(stub: StubHost) -> None:
    prepare(stub)
    result = fnhost(stub.url, "top")
    assert (result.exit_code, result.stderr) == (0, "")
    line, header, first, second = result.stdout.splitlines()
    assert "1 of 2 broker connections up" in line
    assert header.split()[0] == "function"
    assert first.split() == [
        "工业",
        "hot",
        "1/2",
        "10.0",
        "1.0",
        "1.0",
        "ms",
        "1.5",
        "s",
        "3",
        "12",
        "MiB",
        "15%",
    ]
    assert second.split()[:2] == ["busy", "one"]
    assert cell_len(first[: first.index("hot")]) == cell_len(second[: second.index("hot")])


def test_top_asks_for_all_functions_at_once(stub: StubHost) -> None:
    prepare(stub)
    fnhost(stub.url, "top", "--once")
    asked = [each.query.get("scope", "host") for each in stub.seen if each.path == "/api/metrics"]
    assert asked == ["host", "function"]


def test_top_on_a_terminal_ends_with_q(stub: StubHost) -> None:
    prepare(stub)
    master, slave = pty.openpty()
    words = command("top", "--interval", "3600")
    env = environment(FNHOST_URL=stub.url, LINES="30", COLUMNS="160")
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        seen = b""
        while b"q ends this" not in seen:
            seen += os.read(master, 65536)
        os.write(master, b"xq")
        try:
            while os.read(master, 65536):
                pass
        except OSError:
            pass  # as a terminal whose other side is closed says
        assert process.wait(30) == 0
    os.close(master)
    assert "工业" in seen.decode()


def test_top_goes_on_with_a_host_that_is_started_again(start_host: StartHost) -> None:
    host = start_host()
    host.listen = host.url.removeprefix("http://")
    master, slave = pty.openpty()
    env = environment(FNHOST_URL=host.url, LINES="30", COLUMNS="160")
    words = command("top", "--interval", "0.5")
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        try:
            read_until(master, "q ends this")
            host.stop()
            read_until(master, "no host answers")
            host.start()
            read_until(master, "q ends this")
            os.write(master, b"q")
            read_until(master, "\x1b[?1049l")  # the terminal as it was before
            assert process.wait(DEADLINE) == 0
        finally:
            process.kill()
            os.close(master)


def test_top_without_a_host_says_what_to_do(nowhere: str) -> None:
    result = fnhost(nowhere, "top")
    assert result.exit_code == 3 and "fnhost serve" in result.stderr


def test_export_writes_what_the_host_told(stub: StubHost, tmp_path: Path) -> None:
    csv = b"time,function,events (events)\r\n2026-01-01T00:00:00Z,\xe5\xb7\xa5,3\r\n"
    stub.answers[HISTORY] = Prepared(csv, content_type="text/csv; charset=utf-8")
    words = ("--function", "工", "--since", "1h", "--step", "10s", "--columns", "events")
    assert fnhost(stub.url, "metrics", "export", *words).stdout_bytes == csv
    query = {"function": "工", "since": "1h", "step": "10s", "columns": "events", "format": "csv"}
    assert stub.seen[-1].query == query
    file = tmp_path / "history.csv"
    assert fnhost(stub.url, "metrics", "export", "-o", str(file)).stdout == ""
    assert file.read_bytes() == csv


def test_export_as_json_is_what_the_host_said(stub: StubHost) -> None:
    stub.prepare(HISTORY, TOLD)
    assert json.loads(fnhost(stub.url, "metrics", "export", "--format", "json").stdout) == TOLD


def test_what_the_host_refuses_leaves_an_older_file_as_it_is(stub: StubHost, tmp_path: Path) -> None:
    stub.prepare(HISTORY, {"detail": "since is above 0 and at most 24h"}, 400)
    file = tmp_path / "history.csv"
    file.write_text("old")
    result = fnhost(stub.url, "metrics", "export", "--since", "9d", "-o", str(file))
    assert result.exit_code == 2 and "24h" in result.stderr
    assert file.read_text() == "old"


def test_a_function_that_did_nothing_is_told_from_one_that_is_not_there(stub: StubHost) -> None:
    stub.answers[HISTORY] = Prepared(b"time,function\r\n", content_type="text/csv")
    assert fnhost(stub.url, "metrics", "export", "--function", "industri").exit_code == 4
    stub.prepare("GET /api/functions/industry", INDUSTRY)
    result = fnhost(stub.url, "metrics", "export", "--function", "industry")
    assert result.exit_code == 0 and "--since" in result.stderr


def test_a_file_that_cannot_be_written_is_named(stub: StubHost, tmp_path: Path) -> None:
    stub.prepare(HISTORY, TOLD)
    result = fnhost(stub.url, "metrics", "export", "-o", str(tmp_path / "no" / "such"))
    assert result.exit_code == 2 and "-o" in result.stderr
