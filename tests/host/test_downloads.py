"""Models of the config come into service by themselves, from real file servers, each for itself."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conf.faults import ConfigError
from conf.settings import gather_settings
from tests.files_server import FilesServer, files_server
from tests.functions.wheelhouse import make_wheel, package_index
from tests.hosts import RunningHost, StartHost, wait_until, zip_of

SAY = "def index(event, context):\n    return {answer!r}\n"
TINY = "import tinybase, sys\ndef index(event, context):\n    return tinybase.version\n"


def package(answer: str) -> bytes:
    return zip_of({"index.py": SAY.format(answer=answer)})


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.fixture
def server() -> Iterator[FilesServer]:
    with files_server() as running:
        yield running


def shown(host: RunningHost, name: str) -> dict[str, Any]:
    """The function's line in `fnhost list`."""
    functions = host.client.get(f"{host.url}/api/functions").json()["functions"]
    found: dict[str, Any] = next(each for each in functions if each["name"] == name)
    return found


def answers(host: RunningHost, name: str, expected: object) -> None:
    def does() -> bool:
        answer = host.invoke(name, b"{}")
        return answer.status_code == 200 and answer.json() == expected

    wait_until(does, f"{name} answers {expected!r}; {host.log()}")


def test_models_are_fetched_at_the_start_and_the_same_one_only_once(
    start_host: StartHost, server: FilesServer
) -> None:
    served = server.add("/a.zip", package("a"))
    told = f"modelAddress: {server.url}/a.zip, modelMd5: {md5_of(served.content)}"
    host = start_host(
        f"download: true\nfuncs:\n- {{modelName: 模型_A1, {told}}}\n- {{modelName: two, {told}}}\n"
    )
    answers(host, "模型_A1", "a")
    answers(host, "two", "a")
    assert shown(host, "two")["last_error"] is None
    host.stop()
    host.start()
    answers(host, "two", "a")
    assert len(served.asked) == 1
    assert shown(host, "two")["revision"] == 1


def test_a_model_that_cannot_be_had_holds_up_nobody_and_comes_later(
    start_host: StartHost, server: FilesServer
) -> None:
    late = server.add("/late.zip", package("late"), statuses=[503] * 1000)
    server.add("/wrong.zip", package("wrong"))
    server.add("/good.zip", package("good"))
    host = start_host(
        "funcs:\n"
        f"- {{modelName: late, modelAddress: '{server.url}/late.zip'}}\n"
        f"- {{modelName: wrong, modelAddress: '{server.url}/wrong.zip', modelMd5: {md5_of(b'right')}}}\n"
        f"- {{modelName: typo, modelAddress: '{server.url}/good.zip', modelMd5: pZ4DJ}}\n"
        f"- {{modelName: off, modelAddress: '{server.url}/good.zip', download: false}}\n"
        f"- {{modelName: good, modelAddress: '{server.url}/good.zip'}}\n",
        {"DOWNLOAD_MODEL": "Yes"},
    )
    answers(host, "good", "good")
    for name, reason in [
        ("late", "HTTP 503"),
        ("wrong", "has another file than the config says"),
        ("typo", "'pZ4DJ' is not an MD5 digest"),
        ("off", "it is in the config but not deployed"),
    ]:
        wait_until(lambda name=name, reason=reason: reason in shown(host, name)["last_error"], reason)  # type: ignore[misc]
        assert shown(host, name)["state"] == "missing"
        assert reason in host.log()
    assert "funcs[2]" in shown(host, "typo")["last_error"]
    late.statuses.clear()
    answers(host, "late", "late")
    assert shown(host, "late")["last_error"] is None


def test_a_revision_stays_in_service_while_its_successor_cannot_be_had(
    start_host: StartHost, server: FilesServer
) -> None:
    server.add("/1.zip", package("one"))
    config = f"download: true\nfuncs: [{{modelName: f, modelAddress: '{server.url}/%d.zip'}}]\n"
    host = start_host(config % 1)
    answers(host, "f", "one")
    host.stop()
    host._config = config % 2
    host.start()
    answers(host, "f", "one")
    wait_until(lambda: "HTTP 404" in (shown(host, "f")["last_error"] or ""), "the list says why")
    server.add("/2.zip", package("two"))
    answers(host, "f", "two")
    assert len(list((host.state / "downloads").iterdir())) == 1


def test_models_below_pyboot_home_are_deployed_by_name(start_host: StartHost, tmp_path: Path) -> None:
    home = tmp_path / "pyboot"
    (home / "models" / "folder").mkdir(parents=True)
    (home / "models" / "folder" / "index.py").write_text(SAY.format(answer="folder"))
    (home / "models" / "zipped.zip").write_bytes(package("zipped"))
    science = home / "modules" / "gridsum" / "science" / "TYPE_TREND_WARNING1644570851718"
    science.mkdir(parents=True)
    (science / "index.py").write_text(SAY.format(answer="science"))
    names = ["folder", "zipped", science.name, "nowhere"]
    host = start_host(
        f"funcs: [{', '.join(f'{{modelName: {name}}}' for name in names)}]\n", {"PYBOOT_HOME": str(home)}
    )
    for name, answer in zip(names, ["folder", "zipped", "science"], strict=False):
        answers(host, name, answer)
    assert shown(host, "nowhere")["state"] == "missing"


@pytest.fixture
def index_env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a host whose package index has `tinybase` 1.0 and 2.0."""
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path / "index" / "tinybase", "tinybase", version)
    with package_index(tmp_path / "index") as address:
        yield {"UV_DEFAULT_INDEX": address, "UV_HTTP_RETRIES": "0"}


def test_the_base_set_is_for_packages_that_do_not_say_what_they_need(
    start_host: StartHost, index_env: dict[str, str]
) -> None:
    host = start_host(
        "requirements: [tinybase==1.0]\n"
        "funcs: [{modelName: newer, requirements: [tinybase==2.0]}, {modelName: bare, requirements: []}]\n",
        index_env,
    )
    done = host.deploy({"index.py": TINY}, "old")
    assert done["type"] == "done" and host.invoke("old", b"{}").json() == "1.0"
    host.deploy({"index.py": TINY}, "newer")
    assert host.invoke("newer", b"{}").json() == "2.0"
    assert host.deploy({"index.py": TINY}, "bare")["type"] == "error"
    for own in ({"requirements.txt": ""}, {"function.yaml": "requirements: []\n", "requirements.txt": "#"}):
        assert "tinybase" in host.deploy({"index.py": TINY, **own}, "own")["detail"]
    told = host.deploy_zip(zip_of({"index.py": TINY, "function.yaml": "requirements: [tinybase>1]"}), "own")
    assert told[-1]["type"] == "done" and host.invoke("own", b"{}").json() == "2.0"


def test_a_changed_base_set_gives_what_is_deployed_a_new_revision(
    start_host: StartHost, index_env: dict[str, str]
) -> None:
    config = "requirements: [tinybase==%s]\nfuncs: [{modelName: old}]\n"
    host = start_host(config % "1.0", index_env)
    host.deploy({"index.py": TINY}, "old")
    own = {"index.py": SAY.format(answer="own"), "requirements.txt": ""}
    host.deploy(own, "own")
    for version, number in (("2.0", 2), ("1.0", 1), ("1.0", 1)):
        host.stop()
        host._config = config % version
        host.start()
        answers(host, "old", version)
        assert host.describe("old")["aliases"] == {"live": number}
    assert host.deploy({"index.py": TINY}, "old")["unchanged"]
    assert host.deploy(own, "own")["unchanged"]
    assert {each["sha256"] for each in host.describe("old")["revisions"]} == {
        hashlib.sha256(zip_of({"index.py": TINY})).hexdigest()
    }


def test_the_config_picks_the_python_of_packages_that_name_none(start_host: StartHost) -> None:
    host = start_host('python: "3.97"\n')
    refused = host.deploy({"index.py": SAY.format(answer=1)}, "f")
    assert "Python 3.97 is not installed here" in refused["detail"]
    own = {"index.py": SAY.format(answer=1), "function.yaml": 'python: "3.98"\n'}
    assert "Python 3.98" in host.deploy(own, "g")["detail"]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [(word, True) for word in ("y", "yes", "t", "true", "on", "1", "True", "YES")]
    + [(word, False) for word in ("n", "no", "f", "false", "off", "0", "False", "NO")],
)
def test_download_model_is_read_as_the_older_program_read_it(word: str, wanted: bool) -> None:
    assert gather_settings({}, {"DOWNLOAD_MODEL": word}).download_models is wanted


@pytest.mark.parametrize("word", ["", "maybe", "2"])
def test_any_other_download_model_is_refused_by_its_name(word: str) -> None:
    with pytest.raises(ConfigError, match=r"DOWNLOAD_MODEL: .* is neither true nor false"):
        gather_settings({}, {"DOWNLOAD_MODEL": word})
