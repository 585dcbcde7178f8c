"""The native config: what it refuses, and in which words."""

from pathlib import Path

import pytest

from conf.faults import ConfigError
from tests.conf.reading import faults, read

BROKERS = "mqtts: [{name: b1, broker: 'tcp://h1'}, {name: b2, broker: 'tcp://h2'}]\n"
RULE = "{{sub: {{name: b1, clientId: {}, topic: {}}}, pub: {{name: {}, clientId: {}, topic: {}}}}}"


def rule(sub: str = "1", pub: str = "2", topics: tuple[str, str] = ("in", "out"), broker: str = "b1") -> str:
    return RULE.format(sub, topics[0], broker, pub, topics[1])


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
        lisen: 127.0.0.1:1
        mqtts:
        - name: b1
          broker: http://h
          qos: 3
        - name: b1
          broker: tcp://h
        rules:
        - sub: {name: b3, clientid: 1, topic: a/#/b}
          pub: {name: b1, clientId: 2, topic: a/+}
        - sub: {name: b3, clientId: 1, topic: a}
          pub: {name: b1, clientId: 1, topic: a}
        funcs:
        - modelname: industry
          timeout: soon
        """
    found = faults(tmp_path, text)
    assert {path: fault.line for path, fault in found.items()} == {
        "lisen": 1,
        "mqtts[0].broker": 4,
        "mqtts[0].qos": 5,
        "mqtts[1].name": 6,
        "rules[0].sub.name": 9,
        "rules[0].sub.clientId": 9,
        "rules[0].sub.clientid": 9,
        "rules[0].sub.topic": 9,
        "rules[0].pub.topic": 10,
        "rules[1].sub.name": 11,
        "funcs[0].modelName": 14,
        "funcs[0].modelname": 14,
        "funcs[0].timeout": 15,
    }


def test_the_error_reads_as_a_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "listen: 5888\nstat: x")
    assert str(caught.value).splitlines() == [
        f"2 faults in {tmp_path}/fnhost.yaml:",
        "  line 1: listen: 5888 is not HOST:PORT such as 127.0.0.1:5888; 0.0.0.0 as host means every address",
        "  line 2: stat: is not a known key (did you mean `state`?)",
    ]


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("mqts: []", "mqts", "did you mean `mqtts`?"),
        (
            "funcs: [{modelName: a, modeladdress: x}]",
            "funcs[0].modeladdress",
            "did you mean `modelAddress`?",
        ),
        ("funcs: [{modelName: a, scale: {mim: 1}}]", "funcs[0].scale.mim", "did you mean `min`?"),
        ("limits: {maxBody: 1}", "limits.maxBody", "did you mean `max_body`?"),
        ("mqtts: [{name: b, broker: 'ssl://h', tls: {CA: x}}]", "mqtts[0].tls.CA", "did you mean `ca`?"),
        ("expose: [{zzz: 1}]", "expose[0].zzz", "known keys: name, desc, outPort, protocolPort"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path, text: str, path: str, hint: str) -> None:
    assert faults(tmp_path, text)[path].hint == hint


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("mqtts: 5", "mqtts", "must be a list"),
        ("mqtts: [5]", "mqtts[0]", "must be a mapping"),
        ("mqtts: [{name: b}]", "mqtts[0].broker", "is required"),
        ("mqtts: [{name: b, broker: 'tcp://'}]", "mqtts[0].broker", "names no host"),
        ("mqtts: [{name: b, broker: 'tcp://h:99999'}]", "mqtts[0].broker", "is not a broker's URL"),
        ("mqtts: [{name: b, broker: 'tcp://h/x'}]", "mqtts[0].broker", "something after the port"),
        ("mqtts: [{name: b, broker: 'tcp://u:pw@h'}]", "mqtts[0].broker", "user name or password"),
        ("mqtts: [{name: b, broker: 'tcp://h', tls: {ca: x}}]", "mqtts[0]", "`tls` needs"),
        ("mqtts: [{name: b, broker: 'ssl://h', tls: {key: x}}]", "mqtts[0].tls", "given together"),
        ("mqtts: [{name: b, broker: 'tcp://h', qos: true}]", "mqtts[0].qos", "must be a number"),
        (
            "mqtts: [{name: b, broker: 'tcp://h', version: 4}]",
            "mqtts[0].version",
            "must be 'auto', '3.1.1' or '5'",
        ),
        ("mqtts: [{name: 1.10, broker: 'tcp://h'}]", "mqtts[0].name", "write it in quotes"),
        ("funcs: [{modelName: ''}]", "funcs[0].modelName", "must not be empty"),
        ("funcs: [{modelName: a}, {modelName: a}]", "funcs[1].modelName", "the name of funcs[0] already"),
        ("funcs: [{modelName: a, scale: {min: 3, max: 2}}]", "funcs[0].scale", "more than"),
        ("funcs: [{modelName: a, scale: {target: 2}}]", "funcs[0].scale.target", "at most 1"),
        ("funcs: [{modelName: a, queue: 100001}]", "funcs[0].queue", "at most 100000"),
        ("funcs: [{modelName: a, batch: {max_wait: 1s}}]", "funcs[0].batch.max_size", "required"),
        ("funcs: [{modelName: a, concurrency: 0}]", "funcs[0].concurrency", "at least 1"),
        ("funcs: [{modelName: a, env: {A=B: x}}]", "funcs[0].env.A=B", "must match"),
        ("funcs: [{modelName: a b}]", "funcs[0].modelName", "is not a function name"),
        ("funcs: [{modelName: a, devices: [{}]}]", "funcs[0].devices[0]", "neither `deviceName` nor"),
        ("funcs: [{modelName: a, sha256: 12}]", "funcs[0].sha256", "is not a sha256"),
        ("funcs: [{modelName: a, entry: x}]", "funcs[0].entry", "write package.module.callable"),
        ("funcs: [{modelName: a, entry: x.y, package: z}]", "funcs[0]", "write either `entry`"),
        ("funcs: [{modelName: a, pythonPath: [z]}]", "funcs[0]", "needs an `entry`"),
        ("funcs: [{modelName: a, python: 3.9}]", "funcs[0].python", "too old"),
        ("requirements: [./x.whl]", "requirements[0]", "does not name a package"),
        (
            "expose: [{name: a, outPort: 30000, protocolPort: 'http://:8080'}]",
            "expose[0].outPort",
            "more than 30000",
        ),
        (
            "expose: [{name: a, outPort: 60000, protocolPort: 'http://:8080'}]",
            "expose[0].outPort",
            "less than 60000",
        ),
        (
            "expose: [{name: a, outPort: 38080, protocolPort: 'http://:1'}]",
            "expose[0].protocolPort",
            "must be",
        ),
        ("limits: {delivery: 100KiB}", "limits.delivery", "must be at least 1 MiB"),
        ("listen: '[::1'", "listen", "is not HOST:PORT"),
        ("listen: 'h:65536'", "listen", "over 65535"),
        ("5: x", "[5]", "in quotes"),
        ("[a]", "", "must be a mapping"),
    ],
)
def test_a_fault_is_told_by_path_in_plain_words(tmp_path: Path, text: str, path: str, words: str) -> None:
    assert words in faults(tmp_path, text)[path].message


@pytest.mark.parametrize(
    ("rules", "path", "words"),
    [
        (rule(broker="b3"), "rules[0].pub.name", "no broker is named 'b3'"),
        (rule(topics=("a/#", "a/b")), "rules[0].pub.topic", "matches this rule's own subscription"),
        (rule(topics=("$share/g/a/+", "a/b")), "rules[0].pub.topic", "matches this rule's own subscription"),
        (rule("1", "8") + "," + rule("1", "9"), "rules[1].sub.clientId", "the id of rules[0].sub.clientId"),
        (rule("1", "1"), "rules[0].pub.clientId", "the id of rules[0].sub.clientId"),
        (rule("1", "2") + "," + rule("2", "3"), "rules[0].pub.clientId", "the id of rules[1].sub.clientId"),
        (
            rule()[:-1] + ", error: {name: b3, clientId: 3, topic: e}}",
            "rules[0].error.name",
            "no broker is named",
        ),
        (
            rule()[:-1] + ", error: {name: b1, clientId: 1, topic: e}}",
            "rules[0].error.clientId",
            "the id of rules[0].sub",
        ),
        (
            rule()[:-1] + ", error: {name: b1, clientId: 3, topic: in}}",
            "rules[0].error.topic",
            "own subscription",
        ),
        ("{functions: [], " + rule()[1:], "rules[0].functions", "must not be empty"),
    ],
)
def test_rules_that_cannot_work_are_refused(tmp_path: Path, rules: str, path: str, words: str) -> None:
    found = faults(tmp_path, BROKERS + f"rules: [{rules}]")
    assert list(found) == [path]
    assert words in found[path].message


def test_a_loop_is_seen_through_two_names_of_one_broker(tmp_path: Path) -> None:
    text = BROKERS.replace("h2", "h1:1883") + f"rules: [{rule(topics=('a', 'a'), broker='b2')}]"
    assert list(faults(tmp_path, text)) == ["rules[0].pub.topic"]


def test_the_same_topic_on_another_broker_is_no_loop(tmp_path: Path) -> None:
    config = read(tmp_path, BROKERS + f"rules: [{rule(sub='1', pub='1', topics=('a', 'a'), broker='b2')}]")
    assert config.rules[0].pub.topic == "a"


def test_an_unknown_broker_is_told_with_the_nearest_known(tmp_path: Path) -> None:
    assert faults(tmp_path, BROKERS + f"rules: [{rule(broker='B1')}]")["rules[0].pub.name"].hint == (
        "did you mean `b1`?"
    )
