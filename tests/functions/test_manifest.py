"""The manifest is read as its author meant it, and every fault is told at once."""

import json

import pytest

from conf.names import check_name
from functions.errors import PackageError
from functions.manifest import LONGEST_MANIFEST, Manifest, read_manifest


def faults(text: str) -> str:
    with pytest.raises(PackageError) as caught:
        read_manifest(text)
    assert caught.value.entry == "function.yaml"
    return str(caught.value)


def test_a_manifest_of_the_longest_length_is_read_and_a_longer_one_is_not() -> None:
    comment = "#" * (LONGEST_MANIFEST - 1) + "\n"
    assert read_manifest(comment) == read_manifest("")
    assert f"longer than {LONGEST_MANIFEST} characters" in faults(comment + "#")


def test_an_empty_manifest_means_the_defaults() -> None:
    manifest = read_manifest("")
    assert manifest == read_manifest("# nothing\n") == Manifest.model_validate({})
    assert (manifest.timeout, manifest.startup_timeout, manifest.queue) == (30.0, 60.0, 1000)
    assert (manifest.scale.min, manifest.scale.max, manifest.concurrency, manifest.threads) == (0, 4, 1, 1)
    assert manifest.max_event == manifest.max_result == 6 * 1024 * 1024
    assert manifest.preload and not manifest.idempotent and not manifest.build


def test_durations_and_sizes_are_read_as_seconds_and_bytes() -> None:
    manifest = read_manifest("timeout: 500ms\nstartup_timeout: 5m\nmemory: 512MiB\nmax_event: 10MB\n")
    assert (manifest.timeout, manifest.startup_timeout) == (0.5, 300.0)
    assert (manifest.memory, manifest.max_event) == (512 * 1024**2, 10_000_000)


def test_scale_and_batch_are_read_with_their_defaults() -> None:
    scale = read_manifest("scale: {max: 8, idle: 0, keep_warm: 1h}").scale
    assert (scale.max, scale.target, scale.idle, scale.keep_warm) == (8, 0.7, 0.0, 3600.0)
    assert (scale := Manifest.model_validate({}).scale) and (scale.idle, scale.keep_warm) == (60.0, 600.0)
    batch = read_manifest("batch: {max_size: 32}").batch
    assert batch is not None
    assert (batch.max_size, batch.max_wait) == (32, 0.005)
    assert read_manifest("").batch is None


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("false", False), ("no", False), ("always", "always")]
)
def test_preload_is_a_truth_or_always_and_stored_as_such(text: str, value: object) -> None:
    manifest = read_manifest(f"preload: {text}")
    stored = manifest.model_dump_json()
    assert manifest.preload == json.loads(stored)["preload"] == value
    assert Manifest.model_validate_json(stored) == manifest


def test_a_manifest_that_was_stored_by_an_earlier_version_is_read() -> None:
    manifest = Manifest.model_validate_json('{"scale": {"min": 1, "max": 4}, "preload": true, "threads": 1}')
    assert (manifest.scale.min, manifest.scale.target, manifest.preload) == (1, 0.7, True)


def test_one_model_is_the_default_model() -> None:
    assert read_manifest("model: m.pkl").models == {"default": "m.pkl"}
    assert read_manifest("models: {a: x/a.pkl, b: b.onnx}").models == {"a": "x/a.pkl", "b": "b.onnx"}
    assert "not both" in faults("model: m.pkl\nmodels: {}")


def test_numbers_are_taken_where_text_is_meant() -> None:
    manifest = read_manifest("name: 7\npython: 3.12\nenv: {PORT: 80, RATE: 0.5}")
    assert (manifest.name, manifest.python) == ("7", "3.12")
    assert manifest.env == {"PORT": "80", "RATE": "0.5"}


def test_every_fault_is_listed_with_its_path_line_and_hint() -> None:
    text = faults("tiemout: 3\nscale: {mn: 1, max: 0}\nenv:\n  A B: x\n  C: yes\n  D: true\n")
    assert text.startswith("5 faults in function.yaml")
    assert "line 1: tiemout: is not a known key (did you mean `timeout`?)" in text
    assert "line 2: scale.mn: is not a known key (did you mean `min`?)" in text
    assert "line 2: scale.max: must be at least 1" in text
    assert "line 4: env.A B:" in text
    assert "line 6: env.D: must be text" in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("- a list", "mapping"),
        ("name: [", "not YAML"),
        ("name: a\nname: b", "twice"),
        ("a: " + "[" * 5000, "nested"),
        ("description: " + "x" * 300_000, "longer"),
        ("name: a@b", "function name"),
        ("handler: index", "module:name"),
        ("handler: in-dex:run", "module:name"),
        ("accepts: xml", "'json', 'text' or 'bytes'"),
        ("python: 2.7", "too old"),
        ("python: 3.1", "quotes"),
        ("python: latest", "not a Python version"),
        ("requirements: ['-e .']", "requirements[0]"),
        ('requirements: ["six\\n--no-binary :all:"]', "line break"),
        ("timeout: 0", "more than 0"),
        ("timeout: fast", "duration"),
        ("memory: 1 lot", "size"),
        ("memory: 1MiB\nresources: {memory: 2MiB}", "not both"),
        ("resources: {cpu: 2, cpu_max: 1}", "`cpu_max` (1) is less than `cpu` (2)"),
        ("resources: {cpu: 0}", "more than 0"),
        ("resources: {cpu: true}", "must be a number"),
        ("processes: -1", "at least 0"),
        ("network: some", "'allow' or 'none'"),
        ("concurrency: 1001", "at most 1000"),
        ("threads: 0", "at least 1"),
        ("queue: 0", "at least 1"),
        ("queue: 100001", "at most 100000"),
        ("scale: {min: 3, max: 2}", "min is 3"),
        ("scale: {target: 0.05}", "scale.target: must be at least 0.1"),
        ("scale: {target: true}", "scale.target: must be a number"),
        ("scale: {idle: soon}", "duration"),
        ("batch: {}", "batch.max_size: is required"),
        ("batch: {max_size: 1001}", "at most 1000"),
        ("batch: {max_size: 2, max_wait: 11s}", "batch.max_wait: must be at most 10s"),
        ("preload: sometimes", "must be true, false or always"),
        ("models: {a: ../a.pkl}", "relative"),
        ("models: {a: /a.pkl}", "relative"),
        ("publish: ['a/#/b']", "topic filter"),
        ('env: {A: "x\\0"}', "NUL"),
    ],
)
def test_a_fault_is_told_in_plain_words(text: str, part: str) -> None:
    assert part in faults(text)


@pytest.mark.parametrize("name", ["industry", "水泵_1", "Über", "_a", "7", "a.b-c", "名" * 66])
def test_names_of_any_script_are_taken(name: str) -> None:
    assert check_name(name) == name


def test_a_name_is_composed() -> None:
    assert check_name("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-a", "a@3", "a/b", "a b", "a\n", "a\0", "名" * 67, "\u202e"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="function name"):
        check_name(name)


def test_what_events_look_like_is_an_object_or_a_file_of_the_package() -> None:
    assert read_manifest("input: {type: object}").input == {"type": "object"}
    assert read_manifest("input: schemas/事件.json").input == "schemas/事件.json"
    assert "line 2: input: is no object" in faults("name: a\ninput: [1]")
    for path in ("../event.json", "/etc/event.json", "a\\b.json", "event.yaml"):
        assert "is not a .json file of the package" in faults(f"input: {path}")
    assert "has the key 1, which is no text" in faults("input: {properties: {1: {}}}")
    assert "65,536 are allowed" in faults(json.dumps({"input": {"title": "x" * 65_536}}))
    assert "deeper than 32 levels" in faults("input: " + '{"items": ' * 40 + "{}" + "}" * 40)
