"""What a function sees of its invocation, asked of a real function on a real host."""

import os
import pickle
import signal
import time

import cloudpickle
import numpy
import pytest

from tests.hosts import RunningHost, StartHost, wait_until
from tests.worker.deploying import answer, deploy, instance, wait_for_line

INDEX = """
import os, pickle, random, sys, time
from pathlib import Path

def init(context):
    context.user_data.loaded_in = os.getpid()
    context.user_data.counted = []
    context.user_data.init_id = context.request_id
    try:
        context.publish("out/a", 1)
    except Exception as error:
        context.user_data.init_error = str(error)

def count(path):
    with open(os.path.join(os.environ["HOME"], "loads"), "a") as file:
        file.write("x")
    return Path(path).read_text()

def index(event, context):
    return globals()[event.pop("do")](event, context)

def everything(event, context):
    info = context.event
    return {
        "ids": [context.request_id, context.aws_request_id, info.id],
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(),
        "deadline": context.deadline - time.time(),
        "trigger": [context.trigger.kind, context.trigger.name],
        "device": context.device,
        "package_dir": context.package_dir,
        "output_dir": context.output_dir,
        "cwd": os.getcwd(),
        "env": [context.env, os.environ["MODE"]],
        "event": vars(info),
        "response": context.Response(1).status,
    }

def say(event, context):
    context.logger.info("plain %d", 7)
    context.logger.info_with("drift", sensor=3, name="三")
    context.log({"a": 1})

def write(event, context):
    file = Path(context.output_dir, "result.txt")
    file.write_text("温度")
    return file.read_text()

def counter(event, context):
    context.user_data.counted.append(os.getpid())
    return [context.user_data.counted, context.user_data.loaded_in, os.getpid(), context.user_data.init_id]

def models(event, context):
    return {
        "pickle": context.model("plain.pkl"),
        "cloudpickle": context.model("function.cloudpickle")(20),
        "joblib": context.model("m.joblib"),
        "declared": context.model("trend"),
        "own": context.model("own.bin", loader=count),
        "same": context.model("plain.pkl") is context.model("plain.pkl"),
        "missing": failure(lambda: context.model("missing.pkl")),
    }

def loads(event, context):
    for _ in range(3):
        context.model("own.bin", loader=count)
    return Path(context.output_dir, "loads").read_text()

def failure(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__ + ": " + str(error)

def publish(event, context):
    return [failure(lambda: context.publish(topic, {"t": 1}, qos=qos)) for topic, qos in event["topics"]]

def respond(event, context):
    return context.Response({"t": 1}, 201, {"X-Model": "3", "Content-Type": "no"}, "application/vnd.a+json")

def not_there(event, context):
    return hasattr(context, "invoke")
"""
MANIFEST = """
timeout: 20s
memory: 512MiB
scale: {min: 1, max: 2}
env: {MODE: test, LEVEL: 3}
models: {trend: plain.pkl}
publish: [out/a, out/+/deep, 'alarms/#']
"""
JOBLIB = "def load(path):\n    return 'joblib ' + path.rpartition('/')[2]\n"


@pytest.fixture(scope="module")
def host(shared_host: RunningHost) -> RunningHost:
    """The shared host with a function that tells what it sees."""
    factor = 2
    files = {
        "plain.pkl": pickle.dumps({"model": 1}),
        "function.cloudpickle": cloudpickle.dumps(lambda x: x * factor),
        "m.joblib": b"",
        "joblib.py": JOBLIB,
        "own.bin": "mine",
    }
    deploy(shared_host, "asked", INDEX, MANIFEST, files)
    return shared_host


def test_the_context_tells_all_that_the_abi_names(host: RunningHost) -> None:
    before = time.time()
    headers = {"x-request-id": "line-7", "content-type": "application/json", "x-line": "7"}
    response = host.invoke("asked", '{"do": "everything"}', headers=headers, params={"unit": "°C"})
    told = response.json()
    assert told["ids"] == ["line-7"] * 3
    assert (told["name"], told["version"], told["memory"]) == ("asked", "1", 512)
    assert 10_000 < told["remaining"] <= 20_000
    assert 10 < told["deadline"] <= 20
    assert told["trigger"] == ["http", "http"]
    assert told["cwd"] == told["package_dir"]
    assert told["env"] == [{"MODE": "test", "LEVEL": "3"}, "test"]
    assert told["response"] == 200
    event = told["event"]
    assert event["headers"]["x-line"] == "7"
    assert before <= event.pop("timestamp") <= time.time()
    assert {name: value for name, value in event.items() if name != "headers"} == {
        "id": "line-7",
        "source": "http",
        "content_type": "application/json",
        "method": "POST",
        "path": "/invoke/asked",
        "query": "unit=%C2%B0C",
        "topic": None,
        "qos": None,
        "retain": None,
        "device": None,
        "traceparent": None,
        "tracestate": None,
        "scheduled": None,
        "attempt": 1,
    }


def test_a_request_id_that_nobody_gave_is_made(host: RunningHost) -> None:
    response = host.invoke("asked", {"do": "everything"})
    assert set(response.json()["ids"]) == {response.headers["x-request-id"]}
    assert len(response.headers["x-request-id"]) == 32


def test_logger_and_log_write_to_the_functions_log_with_the_invocations_id(host: RunningHost) -> None:
    assert host.invoke("asked", {"do": "say"}, headers={"x-request-id": "say-1"}).status_code == 204
    wait_for_line(host, "asked", lambda line: line["line"] == "{'a': 1}")
    said = [line for line in host.logs("asked") if line["id"] == "say-1"]
    assert [(line["level"], line["line"]) for line in said] == [
        ("info", "plain 7"), ("info", "drift"), ("info", "{'a': 1}")
    ]  # fmt: skip
    assert [line.get("fields") for line in said] == [None, {"sensor": 3, "name": "三"}, None]


def test_output_dir_is_writable(host: RunningHost) -> None:
    assert answer(host, "asked", {"do": "write"}) == "温度"


def test_user_data_is_kept_per_instance_and_starts_as_init_left_it(host: RunningHost) -> None:
    first = answer(host, "asked", {"do": "counter"})
    second = answer(host, "asked", {"do": "counter"})
    assert len(second[0]) == len(first[0]) + 1
    assert second[1] not in second[0], "init ran in the zygote, which is not an instance"
    assert set(second[0]) == {second[2]}
    assert second[3] == ""


def test_models_are_loaded_by_suffix_name_or_a_loader_of_ones_own(host: RunningHost) -> None:
    told = answer(host, "asked", {"do": "models"})
    assert "the model 'missing.pkl' is not in the package" in told.pop("missing")
    assert told == {
        "pickle": {"model": 1},
        "cloudpickle": 40,
        "joblib": "joblib m.joblib",
        "declared": {"model": 1},
        "own": "mine",
        "same": True,
    }
    assert answer(host, "asked", {"do": "loads"}) == "x", "loaded once"


def test_topics_are_published_only_where_the_manifest_allows_it(host: RunningHost) -> None:
    topics = [
        ["out/a", 1],
        ["out/x/deep", 0],
        ["alarms", 2],
        ["out/b", 1],
        ["out/+/deep", 1],
        ["", 1],
        ["out/a", 3],
    ]
    said = answer(host, "asked", {"do": "publish", "topics": topics})
    assert said[:3] == [None, None, None]
    assert (
        said[3]
        == "PermissionError: the topic 'out/b' is not allowed; add it under `publish:` in function.yaml"
    )
    assert [text.partition(":")[0] for text in said[4:]] == ["ValueError"] * 3


def test_a_response_has_the_status_headers_and_content_type_that_it_says(host: RunningHost) -> None:
    response = host.invoke("asked", {"do": "respond"})
    assert (response.status_code, response.json()) == (201, {"t": 1})
    assert response.headers["content-type"] == "application/vnd.a+json"
    assert response.headers["x-model"] == "3"


def test_invoking_other_functions_is_not_there_yet(host: RunningHost) -> None:
    assert answer(host, "asked", {"do": "not_there"}) is False


def test_models_that_init_loads_are_loaded_once_for_all_instances(shared_host: RunningHost) -> None:
    index = """
import os
def load(path):
    print("loading the model")
    return [os.getpid()]
def init(context):
    context.model("m.bin", loader=load)
def index(event, context):
    return [context.model("m.bin", loader=load), os.getpid()]
"""
    deploy(shared_host, "zygote", index, "scale: {min: 2, max: 2}\n", {"m.bin": "x"})
    loaded, pid = answer(shared_host, "zygote")
    assert pid not in loaded
    said = [line["line"] for line in shared_host.logs("zygote")]
    assert said.count("loading the model") == 1


RANDOM = """
import os, random, sys, time
sys.path.append(os.environ["NUMPY_AT"])
import numpy
sys.path.pop()
numpy.random.seed(1)
random.seed(1)
def index(event, context):
    return [os.getpid(), random.random(), float(numpy.random.rand()), os.environ["OMP_NUM_THREADS"]]
"""


def test_random_numbers_differ_between_instances_and_numeric_libraries_have_one_thread(
    start_host: StartHost,
) -> None:
    numpy_at = os.path.dirname(os.path.dirname(numpy.__file__))
    shared_host = start_host(f"funcs: [{{modelName: random, reads: [{numpy_at}]}}]")
    deploy(shared_host, "random", RANDOM, f"env: {{NUMPY_AT: {numpy_at}}}\nscale: {{min: 1, max: 1}}\n")
    first = answer(shared_host, "random")
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: instance(shared_host, "random") not in (0, first[0]), "another takes its place")
    second = answer(shared_host, "random")
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert first[2] != second[2]
    assert first[3] == "1"
