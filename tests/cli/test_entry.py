"""The entry: help, usage, a host that is not there, and `serve`'s settings."""

import os
import shlex
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from socket import create_server

import click
import pytest
from click.testing import CliRunner

from host import cli
from host.cli.examples import EXAMPLES
from host.cli.exits import Exit
from host.cli.verbs import short_helps
from tests.cli.running import DEADLINE, command, environment, fnhost
from tests.cli.stub_host import Prepared, StubHost

VERBS = list(short_helps())
HEAVY = {
    *("asyncio", "gunicorn", "httpx", "paho", "prometheus_client", "psutil", "pydantic", "rich", "starlette"),
    *("uvicorn", "uvloop", "watchfiles", "yaml"),
}


def test_every_file_of_a_verb_is_in_the_help_with_its_own_first_sentence() -> None:
    files = {file.stem for file in Path(cli.__file__).parent.glob("*.py") if file.stem != "__init__"}
    own = {verb: command for verb in files if (command := _own(verb)) is not None}
    told = {verb: command.get_short_help_str(1000).rstrip(".") for verb, command in own.items()}
    assert told == {verb: said.rstrip(".") for verb, said in short_helps().items()}


def _own(verb: str) -> click.Command | None:
    """The command of that name in the file of that name; `config apply` has a file, and is no verb."""
    if verb in ("__main__", "apply"):
        return None
    found = vars(import_module(f"host.cli.{verb}")).values()
    return next((each for each in found if isinstance(each, click.Command) and each.name == verb), None)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_ends_with_examples_that_it_understands(verb: str) -> None:
    assert EXAMPLES.get(verb), f"host/cli/examples.py has none for {verb}"
    assert fnhost("", verb, "--help").stdout.rstrip().endswith(EXAMPLES[verb][-1])
    for line in EXAMPLES[verb]:
        name, *words = shlex.split(line)
        assert name == "fnhost"
        command: click.Command = cli.main
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_a_mistyped_verb_is_told_with_the_nearest_ones() -> None:
    result = fnhost("", "descrbe")
    assert result.exit_code == 2
    said = "there is no verb `descrbe`; did you mean `describe`? `fnhost --help` lists all of them"
    assert said in result.stderr


@pytest.mark.parametrize("words", [[], *([verb] for verb in VERBS)])
def test_help_of_every_command_works(words: list[str]) -> None:
    result = fnhost("", *words, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_help_imports_nothing_heavy_and_no_verb() -> None:
    code = (
        "import sys, host.cli\ntry: host.cli.main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=DEADLINE
    )
    loaded = set(done.stderr.split())
    assert done.stdout.startswith("Usage: ")
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith(("host.", "conf", "runtime"))} == {
        f"host.cli{module}" for module in ("", ".exits", ".lazy", ".unforeseen", ".verbs")
    }


def test_the_help_of_a_verb_imports_nothing_heavy() -> None:
    code = """if True:
        import sys, host.cli
        for verb in sys.argv[1:]:
            host.cli.main.get_command(None, verb)
        print(*sys.modules)"""
    words = [sys.executable, "-c", code, *VERBS]
    loaded = subprocess.check_output(words, env=environment(), timeout=DEADLINE, text=True).split()
    assert {name for name in loaded if name in HEAVY} == set()


def test_the_help_names_every_exit_code() -> None:
    text = fnhost("", "--help").stdout
    assert all(f"{code.value} " in text for code in Exit)


@pytest.mark.parametrize(
    "words", [["nonsense"], ["list", "-o", "xml"], ["scale", "a", "-1"], ["scale", "a", "many"], ["why"]]
)
def test_wrong_usage_has_exit_code_2(words: list[str]) -> None:
    result = fnhost("", *words)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["describe", "a"],
        ["scale", "a", "1"],
        ["remove", "a", "-y"],
        ["logs", "a"],
        ["invoke", "a"],
        ["bench", "a", "--yes"],
        ["why", "a"],
    ],
)
def test_a_host_that_is_not_there_is_told_with_the_remedy(nowhere: str, words: list[str]) -> None:
    result = fnhost(nowhere, *words)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"Error: no host answers at {nowhere}, as FNHOST_URL says (Connection refused); start one with"
        " `fnhost serve`, or say where it is with --url or FNHOST_URL\n"
    )


@pytest.mark.parametrize(
    "words",
    [["describe", "a"], ["scale", "a", "1"], ["why", "a"], ["remove", "a", "-y"], ["logs", "a"]],
)
def test_a_function_that_is_not_there_has_exit_code_4(stub: StubHost, words: list[str]) -> None:
    result = fnhost(stub.url, *words)
    assert result.exit_code == 4
    assert "there is no /api/functions/a" in result.stderr


def test_the_flag_wins_over_the_environment(stub: StubHost, nowhere: str) -> None:
    stub.prepare("GET /api/functions", {"functions": []})
    assert fnhost(nowhere, "list", "--url", stub.url).exit_code == 0


@pytest.mark.parametrize(
    "url", ["localhost:5888", "ftp://x", "http://[", "http://", "http://a\tb", "http://h:x"]
)
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    result = fnhost("", "list", "--url", url)
    assert result.exit_code == 2
    assert "write http://HOST:PORT" in result.stderr


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"a": 1}', b"", b"\xff"])
def test_another_server_is_not_taken_for_a_host(stub: StubHost, body: bytes) -> None:
    stub.answers["GET /api/functions"] = Prepared(body)
    result = fnhost(stub.url, "list")
    assert result.exit_code == 3
    assert "is no fnhost" in result.stderr


def test_an_error_without_a_reason_is_told_by_its_status(stub: StubHost) -> None:
    stub.answers["GET /api/functions"] = Prepared(b"<html>", 502, "text/html")
    result = fnhost(stub.url, "list")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: the host answered with HTTP 502; its own log says more\n",
    )


def test_a_host_that_hangs_up_is_told_in_a_sentence() -> None:
    with create_server(("127.0.0.1", 0)) as server:
        hangs_up = threading.Thread(target=lambda: server.accept()[0].close())
        hangs_up.start()
        result = fnhost(f"http://127.0.0.1:{server.getsockname()[1]}", "list")
        hangs_up.join(DEADLINE)
    assert result.exit_code == 3
    assert "hung up" in result.stderr


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    stub: StubHost, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.prepare("GET /api/functions", {"functions": []})
    monkeypatch.setenv("HTTP_PROXY", nowhere)
    monkeypatch.setenv("http_proxy", nowhere)
    assert fnhost(stub.url, "list").exit_code == 0


def test_serve_refuses_an_address_beyond_loopback_in_one_sentence() -> None:
    words = command("serve", "--listen", "0.0.0.0:5888")
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: listen: 0.0.0.0:5888 can be reached from other machines")
    assert "Traceback" not in done.stderr


def test_serve_lists_the_faults_of_its_config(tmp_path: Path) -> None:
    (tmp_path / "fnhost.yaml").write_text("lisen: x\nstat: y\n")
    result = fnhost("", "serve", "--config", str(tmp_path / "fnhost.yaml"))
    assert result.exit_code == 2
    assert "line 1: lisen: is not a known key (did you mean `listen`?)" in result.stderr
    assert "line 2: stat: is not a known key" in result.stderr


def test_what_nobody_foresaw_is_told_in_a_sentence_with_where_its_traceback_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.client.client.Client.functions", lambda _: os.environ["GONE"])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = CliRunner().invoke(cli.main, ["list"], env={"FNHOST_DEBUG": None})
    [file] = tmp_path.iterdir()
    assert told.exit_code == Exit.BUG
    assert told.stderr == (
        "Error: fnhost failed where it should not: KeyError: 'GONE';"
        f" report it with {file}, which says where\n"
    )
    assert "Traceback" in file.read_text() and file.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyError):
        CliRunner().invoke(cli.main, ["list"], env={"FNHOST_DEBUG": "1"}, catch_exceptions=False)


def test_the_address_that_was_tried_is_told_with_where_it_comes_from(nowhere: str) -> None:
    assert f"no host answers at {nowhere}, as --url says (" in fnhost("", "list", "--url", nowhere).stderr


@pytest.mark.parametrize("words", [("init",), ("package", "."), ("deploy", ".")])
def test_a_folder_that_is_gone_under_the_command_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"rmdir {gone} && exec {shlex.join(command(*words))}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=gone, env=environment(), capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: the folder that you are in was deleted")


@pytest.mark.parametrize("words", [("invocations", "../../x"), ("replay", "a b/é"), ("invocations", "..")])
def test_what_cannot_be_an_invocation_is_not_asked_for(stub: StubHost, words: tuple[str, ...]) -> None:
    result = fnhost(stub.url, *words)
    assert result.exit_code == 4 and not stub.seen
    assert "there is no record of" in result.stderr
