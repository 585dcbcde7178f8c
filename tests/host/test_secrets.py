"""Secrets reach the functions that name them, and nobody else: no log, no answer, no file of the host's."""

from pathlib import Path

from tests.hosts import RunningHost, StartHost

VALUE = "xyzzy-7f3a91"
OTHER = "plugh-55d0c2"
MANIFEST = "secrets: [DB_PASSWORD]\nprocesses: 4\n"
INDEX = """
import os, subprocess
def index(event, context):
    value = context.secrets["DB_PASSWORD"]
    if event == "environment":
        return [value in os.environ.values(), value in subprocess.check_output("env", text=True)]
    if event == "say":
        print("printed", value)
        print("x" * 745 + value)
        context.logger.warning("logged %r", context.secrets)
        os.write(2, f"written {value}\\n".encode())
        raise ValueError(f"cannot log in with {value}")
    return value[::-1]
"""


def config(value: str, more: str = "") -> str:
    return f"secrets: {{DB_PASSWORD: '{value}'{more}}}\n"


def written(folder: Path) -> bytes:
    """All bytes of all files below a folder, and their names."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


def apply(host: RunningHost, text: str) -> list[str]:
    file = host.folder / "config.yaml"
    file.write_text(text)
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(file)})
    assert answer.status_code == 200, answer.text
    changes: list[str] = answer.json()["changes"]
    return changes


def test_a_secret_reaches_the_function_that_names_it_and_is_written_nowhere(start_host: StartHost) -> None:
    host = start_host(config("${env:DB}"), {"DB": VALUE})
    assert host.deploy({"index.py": INDEX, "function.yaml": MANIFEST}, "f")["type"] == "done"
    assert host.invoke("f", '"get"').json() == VALUE[::-1]
    assert host.invoke("f", '"environment"').json() == [False, False]
    failed = host.invoke("f", '"say"')
    assert "cannot log in with ***" in failed.json()["errorMessage"]
    assert VALUE not in failed.text
    lines = [line["line"] for line in host.logs("f")]
    for told in ("printed ***", "logged <secrets DB_PASSWORD>", "written ***", "x***"):
        assert any(line.endswith(told) for line in lines), (told, lines)
    shown = host.client.get(f"{host.url}/api/functions/f").text
    host.stop()
    assert VALUE.encode() not in written(host.state) + host.log().encode() + shown.encode()
    for file in ("registry.db", "delivery.db", "owner"):
        assert (host.state / file).stat().st_mode & 0o077 == 0, file


def test_a_secret_that_is_missing_or_not_for_this_function_keeps_it_from_starting(
    start_host: StartHost,
) -> None:
    host = start_host(f"secrets: {{DB_PASSWORD: {{value: '{VALUE}', functions: [g]}}}}\n")
    package = {"index.py": INDEX, "function.yaml": MANIFEST}
    refused = host.deploy(package, "f")
    assert "f names the secret DB_PASSWORD, which it may not have" in refused["detail"]
    assert host.deploy(package, "g")["type"] == "done"
    refused = host.deploy({**package, "function.yaml": "secrets: [API_KEY]\n"}, "f")
    assert (
        "f needs the secret API_KEY, which the host does not have: write it in its config"
        in refused["detail"]
    )
    (told,) = [line for line in apply(host, "funcs: []\n") if line.startswith("g")]
    assert "goes on with its old settings: g needs the secret DB_PASSWORD" in told
    assert VALUE not in host.log()


def test_a_changed_secret_is_there_once_the_config_is_applied(start_host: StartHost) -> None:
    host = start_host(config(VALUE))
    assert host.deploy({"index.py": INDEX, "function.yaml": MANIFEST}, "f")["type"] == "done"
    assert host.invoke("f", '"get"').json() == VALUE[::-1]
    changes = apply(host, config(OTHER))
    assert "secrets: DB_PASSWORD changed" in changes
    assert host.invoke("f", '"get"').json() == OTHER[::-1]
    assert not any(value in host.log() + repr(changes) for value in (VALUE, OTHER))
