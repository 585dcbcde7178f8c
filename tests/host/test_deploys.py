"""Deploys against a real host: what comes into service, what does not, and that nobody notices either."""

import asyncio
import threading
import time
from pathlib import Path

import psutil
import pytest

from host.access.audit import newest_records
from host.deployment.tasks import MOST_WAITING, BoundedTelling, Lines
from tests.hosts import RunningHost, StartHost, wait_until, zip_of

ECHO = "def index(event, context):\n    return event\n"


def version(number: int, sleep: float = 0.0) -> str:
    return f"import time\ndef index(event, context):\n    time.sleep({sleep})\n    return {number}\n"


def test_a_deploy_tells_its_steps_and_ends_with_the_revision(shared_host: RunningHost) -> None:
    *lines, done = shared_host.deploy_zip(zip_of({"index.py": ECHO}), "steps")
    steps = [line["step"] for line in lines if line["type"] == "step"]
    assert steps == ["unpack", "environment", "start", "switch"]
    assert (done["type"], done["revision"], done["unchanged"]) == ("done", 1, False)
    assert len(done["sha256"]) == 64


def test_the_same_zip_twice_is_the_same_revision_and_says_so(shared_host: RunningHost) -> None:
    first = shared_host.deploy({"index.py": ECHO}, "twice")
    again = shared_host.deploy({"index.py": ECHO}, "twice")
    assert (first["unchanged"], again["unchanged"]) == (False, True)
    assert again["revision"] == first["revision"]
    assert len(shared_host.describe("twice")["revisions"]) == 1


def test_an_earlier_package_deployed_again_is_live_again_under_its_number(shared_host: RunningHost) -> None:
    for number in (1, 2):
        shared_host.deploy({"index.py": version(number)}, "back")
    assert shared_host.invoke("back", b"{}").json() == 2
    done = shared_host.deploy({"index.py": version(1)}, "back")
    assert (done["revision"], done["unchanged"]) == (1, False)
    assert shared_host.invoke("back", b"{}").json() == 1
    assert shared_host.describe("back")["aliases"] == {"live": 1}


def test_an_earlier_revision_answers_by_its_number_while_another_is_live(shared_host: RunningHost) -> None:
    for number in (1, 2):
        shared_host.deploy({"index.py": version(number)}, "older")
    assert shared_host.invoke("older@1", b"{}").json() == 1
    assert shared_host.invoke("older", b"{}").json() == 2


def test_a_redeploy_under_load_loses_and_fails_no_invocation(shared_host: RunningHost) -> None:
    manifest = "scale: {min: 2, max: 2}\n"
    shared_host.deploy({"index.py": version(1, 0.01), "function.yaml": manifest}, "busy")
    stop = threading.Event()
    answers: list[tuple[int, object]] = []

    def load() -> None:
        while not stop.is_set():
            answer = shared_host.invoke("busy", b"{}")
            answers.append((answer.status_code, answer.json()))

    callers = [threading.Thread(target=load) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for number in (2, 3, 4):
            done = shared_host.deploy({"index.py": version(number, 0.01), "function.yaml": manifest}, "busy")
            assert done["type"] == "done", done
            wait_until(lambda number=number: answers[-1][1] == number, f"revision {number} answers")  # type: ignore[misc]
    finally:
        stop.set()
        for caller in callers:
            caller.join(60)
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} == {1, 2, 3, 4}


def test_an_old_pool_finishes_what_it_runs_before_it_ends(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": version(1, 1.5)}, "long")
    answers: list[object] = []
    caller = threading.Thread(target=lambda: answers.append(shared_host.invoke("long", b"{}").json()))
    caller.start()
    wait_until(lambda: shared_host.describe("long")["in_flight"] == 1, "the event runs")
    assert shared_host.deploy({"index.py": version(2)}, "long")["type"] == "done"
    assert shared_host.invoke("long", b"{}").json() == 2
    caller.join(60)
    assert answers == [1]
    wait_until(
        lambda: not any(_revision(each) == "long@1" for each in shared_host.processes()),
        "the old pool has ended",
    )


def _revision(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("FNHOST_REVISION"))
    except psutil.NoSuchProcess:
        return ""


BROKEN = {
    "an import error": ("import nothing_like_this\n" + ECHO, ["index.py:1", "nothing_like_this"]),
    "a syntax error": ("def index(event, context)\n    return 1\n", ["index.py:1"]),
    "an error at import": ("\n\nx = 1 / 0\n" + ECHO, ["index.py:3", "ZeroDivisionError"]),
    "no index": ("def main(event, context):\n    return 1\n", ["index.py", "`index`", "main"]),
    "an init that raises": (
        "def init(context):\n    raise OSError('no sensor')\n" + ECHO,
        ["index.py:2", "no sensor"],
    ),
    "an init that exits": ("import os\ndef init(context):\n    os._exit(7)\n" + ECHO, ["exit code 7"]),
    "an init that crashes": (
        "import os, signal\ndef init(context):\n    os.kill(os.getpid(), signal.SIGSEGV)\n" + ECHO,
        ["SIGSEGV"],
    ),
    "an init that never ends": (
        "import time\ndef init(context):\n    while True:\n        time.sleep(1)\n" + ECHO,
        ["index.py:4", "2 s"],
    ),
    "a start that raises": (
        "def start(context):\n    raise OSError('no port')\n" + ECHO,
        ["index.py:2", "no port"],
    ),
    "a start that never ends": (
        "import time\ndef start(context):\n    time.sleep(60)\n" + ECHO,
        ["index.py:3", "2 s"],
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_package_that_cannot_start_is_told_with_its_place_and_the_old_revision_goes_on(
    shared_host: RunningHost, what: str
) -> None:
    name = what.replace(" ", "-")
    assert shared_host.deploy({"index.py": version(1)}, name)["type"] == "done"
    index, said = BROKEN[what]
    failed = shared_host.deploy({"index.py": index, "function.yaml": "startup_timeout: 2s\n"}, name)
    assert failed["status"] == 422, failed
    for part in said:
        assert part in failed["detail"]
    assert "runtime/worker" not in "".join(failed.get("stack", []))
    assert shared_host.invoke(name, b"{}").json() == 1
    assert shared_host.describe(name)["state"] == "ready"
    assert name in (shared_host.describe(name)["last_error"] or name)


def test_an_error_that_cannot_be_encoded_is_told_and_breaks_no_view(shared_host: RunningHost) -> None:
    failed = shared_host.deploy({"index.py": "raise ValueError('bad file \\udcd6')\n"}, "odd")
    assert (failed["type"], failed["status"]) == ("error", 422), failed
    assert "bad file" in failed["detail"]
    assert shared_host.client.get(f"{shared_host.url}/readyz").status_code in (200, 503)
    assert shared_host.describe("odd")["state"] == "failed"
    *_, deed = (each for each in newest_records(shared_host.state, 2000) if each.get("target") == "odd")
    assert (deed["revision"], deed["reason"]) == ("odd@1", "The package does not start")


def test_a_requirement_that_cannot_be_had_fails_in_one_sentence_and_the_old_revision_goes_on(
    shared_host: RunningHost, tmp_path: Path
) -> None:
    shared_host.deploy({"index.py": version(1)}, "needy")
    files: dict[str, str | bytes] = {
        "index.py": version(2),
        "requirements.txt": "surely-not-there-fnhost==9.9\n",
        "wheels/other-1.0-py3-none-any.whl": b"not a wheel, and not looked at",
    }
    failed = shared_host.deploy(files, "needy")
    assert (failed["type"], failed["status"]) == ("error", 422)
    assert "surely-not-there-fnhost" in failed["detail"]
    assert "\n" not in failed["detail"]
    assert shared_host.invoke("needy", b"{}").json() == 1
    log = shared_host.client.get(f"{shared_host.url}/api/functions/needy/revisions/2/build-log")
    assert "surely-not-there-fnhost" in log.text


def test_a_failed_package_can_be_deployed_again_once_its_reason_is_gone(
    shared_host: RunningHost, tmp_path: Path
) -> None:
    flag = tmp_path / "flag"
    index = f"import pathlib\nassert pathlib.Path({str(flag)!r}).exists()\n{ECHO}"
    assert shared_host.deploy({"index.py": index}, "later")["type"] == "error"
    flag.touch()
    done = shared_host.deploy({"index.py": index}, "later")
    assert (done["type"], done["revision"]) == ("done", 1)
    assert shared_host.invoke("later", {"t": 1}).json() == {"t": 1}


def test_a_bad_zip_is_refused_at_once_with_the_entry_named(shared_host: RunningHost) -> None:
    (refused,) = shared_host.deploy_zip(zip_of({"index.py": ECHO, "../evil.py": ""}), "evil")
    assert (refused["status"], refused["entry"]) == (422, "../evil.py")
    (refused,) = shared_host.deploy_zip(b"this is no zip", "evil")
    assert refused["status"] == 422
    assert not list((shared_host.state / "staging").iterdir())
    assert shared_host.client.get(f"{shared_host.url}/api/functions/evil").status_code == 404


def test_a_package_without_a_name_is_asked_for_one(shared_host: RunningHost) -> None:
    (refused,) = shared_host.deploy_zip(zip_of({"index.py": ECHO}))
    assert "--name" in refused["detail"]


def test_a_function_with_a_chinese_name_is_deployed_invoked_and_removed(shared_host: RunningHost) -> None:
    name = "趋势_TREND1644570851718"
    assert shared_host.deploy({"index.py": ECHO}, name)["function"] == name
    assert shared_host.invoke(name, {"温度": 1}).json() == {"温度": 1}
    assert shared_host.client.delete(f"{shared_host.url}/api/functions/{name}").json() == {"removed": name}
    assert shared_host.invoke(name, {"温度": 1}).status_code == 404
    assert not (shared_host.state / "environments" / name).exists()


def test_a_removed_function_starts_anew_with_a_number_never_used(shared_host: RunningHost) -> None:
    shared_host.deploy({"index.py": version(1)}, "gone")
    shared_host.client.delete(f"{shared_host.url}/api/functions/gone")
    assert shared_host.deploy({"index.py": version(2)}, "gone")["revision"] == 2
    assert shared_host.invoke("gone", b"{}").json() == 2


def test_two_deploys_of_one_function_at_a_time_both_succeed_one_after_the_other(
    shared_host: RunningHost,
) -> None:
    closing: list[dict[str, object]] = []
    deploys = [
        threading.Thread(
            target=lambda n=number: closing.append(shared_host.deploy({"index.py": version(n)}, "race"))
        )
        for number in (1, 2)
    ]
    for deploy in deploys:
        deploy.start()
    for deploy in deploys:
        deploy.join(60)
    assert sorted(str(line["revision"]) for line in closing) == ["1", "2"]
    live = shared_host.describe("race")["aliases"]["live"]
    assert shared_host.invoke("race", b"{}").json() in (1, 2)
    assert live == closing[-1]["revision"]


def test_scale_changes_the_number_of_instances_within_the_bounds_of_the_function(
    shared_host: RunningHost,
) -> None:
    shared_host.deploy({"index.py": ECHO, "function.yaml": "scale: {min: 1, max: 3}\n"}, "elastic")
    url = f"{shared_host.url}/api/functions/elastic/scale"
    for wanted in (3, 1):
        assert shared_host.client.post(url, json={"instances": wanted}).json() == {"instances": wanted}
        wait_until(lambda w=wanted: shared_host.describe("elastic")["instances"] == w, f"{wanted}")  # type: ignore[misc]
    refused = shared_host.client.post(url, json={"instances": 4})
    assert (refused.status_code, "0 to 3" in refused.json()["detail"]) == (409, True)
    for body in ({"instances": "many"}, {"instances": True}, {}):
        assert shared_host.client.post(url, json=body).status_code == 400


def test_a_fixed_number_holds_until_the_load_is_to_decide_again(shared_host: RunningHost) -> None:
    manifest = "scale: {min: 1, max: 3, idle: 10m}\nbatch: {max_size: 4}\npreload: always\nmemory: 1GiB\n"
    files = {"index.py": ECHO + "def index_batch(events, context):\n    return events\n"}
    shared_host.deploy({**files, "function.yaml": manifest}, "held")
    url = f"{shared_host.url}/api/functions/held"
    assert shared_host.client.post(f"{url}/scale", json={"instances": 0}).json() == {"instances": 0}
    wait_until(lambda: shared_host.describe("held")["temperature"] != "hot", "no instance is left")
    told = shared_host.describe("held")
    assert told["fixed"] == 0
    assert told["scale"] == {"min": 1, "max": 3, "target": 0.7, "idle": 600.0, "keep_warm": 600.0}
    assert told["batch"] == {"max_size": 4, "max_wait": 0.005}
    assert (told["preload"], told["memory"], told["threads"], told["concurrency"]) == ("always", 2**30, 1, 1)
    assert shared_host.client.post(f"{url}/scale", json={"instances": None}).json() == {"instances": None}
    wait_until(lambda: shared_host.describe("held")["temperature"] == "hot", "there is an instance again")
    assert shared_host.describe("held")["fixed"] is None
    answer = shared_host.client.get(f"{url}/why").json()
    assert (answer["function"], type(answer["decisions"])) == ("held", list)
    assert shared_host.client.get(f"{shared_host.url}/api/functions/nobody/why").status_code == 404


def test_scaling_down_never_cuts_a_running_event(shared_host: RunningHost) -> None:
    manifest = "scale: {min: 1, max: 2}\n"
    shared_host.deploy({"index.py": version(1, 0.8), "function.yaml": manifest}, "gentle")
    url = f"{shared_host.url}/api/functions/gentle/scale"
    shared_host.client.post(url, json={"instances": 2})
    wait_until(lambda: shared_host.describe("gentle")["instances"] == 2, "two instances")
    statuses: list[int] = []
    callers = [
        threading.Thread(target=lambda: statuses.append(shared_host.invoke("gentle", b"{}").status_code))
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    wait_until(lambda: shared_host.describe("gentle")["in_flight"] == 2, "both are busy")
    shared_host.client.post(url, json={"instances": 1})
    for caller in callers:
        caller.join(60)
    assert statuses == [200, 200]
    wait_until(lambda: shared_host.describe("gentle")["instances"] == 1, "one instance")


def test_a_function_of_no_instances_starts_with_its_first_event(shared_host: RunningHost) -> None:
    manifest = "scale: {min: 0, max: 2}\n"
    shared_host.deploy({"index.py": ECHO, "function.yaml": manifest}, "sleepy")
    url = f"{shared_host.url}/api/functions/sleepy/scale"
    assert shared_host.client.post(url, json={"instances": 0}).status_code == 200
    wait_until(lambda: shared_host.describe("sleepy")["instances"] == 0, "no instance")
    assert shared_host.invoke("sleepy", {"t": 1}).json() == {"t": 1}


def test_packages_named_by_the_config_are_deployed_at_the_start_with_its_overrides(
    start_host: StartHost, tmp_path: Path
) -> None:
    folder = tmp_path / "设备"
    folder.mkdir()
    (folder / "index.py").write_text("def index(event, context):\n    return context.env['PLACE']\n")
    config = (
        "funcs:\n"
        f"- {{modelName: placed, package: {folder}, env: {{PLACE: 三厂}}, scale: {{min: 2, max: 2}}}}\n"
        "- {modelName: absent}\n"
    )
    host = start_host(config)
    wait_until(lambda: host.invoke("placed", b"{}").status_code == 200, "it is deployed")
    assert host.invoke("placed", b"{}").json() == "三厂"
    wait_until(lambda: host.describe("placed")["instances"] == 2, "two instances")
    shown = host.client.get(f"{host.url}/api/functions").json()["functions"]
    absent = next(each for each in shown if each["name"] == "absent")
    assert absent["state"] == "missing"
    assert "fnhost deploy" in absent["last_error"]
    began = time.monotonic()
    assert host.stop() == 0
    assert time.monotonic() - began < 60


def test_a_caller_who_does_not_read_has_few_lines_of_a_build_waiting() -> None:
    lines: Lines = asyncio.Queue()
    tell = BoundedTelling(lines)
    for number in range(MOST_WAITING + 5):
        tell({"type": "log", "line": str(number)})
    tell({"type": "step", "line": "goes on"})
    told = [lines.get_nowait() for _ in range(lines.qsize())]
    assert len(told) == MOST_WAITING + 2
    assert told[-2] == {"type": "log", "line": "(5 lines were left out here)"}
