"""A function that speaks for its worker: what it says is its own, and harms its own events only."""

from tests.attacks.siege import Siege, explain

SMALL = "timeout: 3s\nscale: {max: 1}\n"

FIND_SOCKET = """
import gc, os, json, socket, struct
def sockets():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                found.append(int(name))
        except OSError:
            pass
    return found
def frame(head, body=b"", metadata=b""):
    head = json.dumps(head).encode()
    return struct.pack("!III", len(head), len(metadata), len(body)) + head + metadata + body
def say(data):
    for fd in sockets():
        try:
            os.write(fd, data)
        except OSError:
            pass
"""
GARBAGE = """
def index(event, context):
    kinds = {
        "noise": os.urandom(4096),
        "huge": struct.pack("!III", 4_000_000_000, 0, 0),
        "list": frame([1, 2]),
        "deep": struct.pack("!III", 200_000, 0, 0) + b"[" * 200_000,
        "wrong": frame({"n": "1", "k": 7}),
        "strange": frame({"op": ["ready"]}),
        "nan": frame({"n": 1, "k": "ok", "s": float("nan")}),
    }
    say(kinds[event["kind"]])
    return "sent"
"""
FORGER = """
def index(event, context):
    for number in (0, 99, 2**40, -1):
        say(frame({"n": number, "k": "ok", "s": 0.001, "ct": "text/plain"}, b"forged"))
    return "mine"
"""
SPLITTER = """
def index(event, context):
    evil = {"x": "1\\r\\nset-cookie: harm=1", "y\\r\\nset-cookie": "harm=1"}
    say(frame({"n": event["n"], "k": "ok", "s": 0.001, "ct": event["ct"], "h": evil}, b"split"))
    return "mine"
"""
PUBLISHER = """
import sys
def index(event, context):
    for name, module in list(sys.modules.items()):
        if name.startswith("_fnhost_worker") and hasattr(module, "_check_topic"):
            module._check_topic = lambda *_: None
    context.publish("alarms/plant/stop", {"stop": True})
    return "published"
"""
PATCHER = """
import signal, sys, time
def index(event, context):
    for name, module in list(sys.modules.items()):
        if name.startswith("_fnhost_worker"):
            for key in list(vars(module)):
                if not key.startswith("__"):
                    setattr(module, key, None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)
"""
LIAR = """
for text in (
    b"noise", b"[1]", b'{"op": 7}', b'{"op": "exited"}', b'{"op": "boxed", "walls": 3}',
    b'{"op": "exited", "slot": 1, "pid": 1, "status": "x"}', b'{"op": "failed", "error": [1]}',
    b'{"op": "_ended"}',
):
    say(text)
def index(event, context):
    return "mine"
"""


def test_garbage_on_its_socket_kills_the_instance_that_sent_it(siege: Siege) -> None:
    package = {"index.py": FIND_SOCKET + GARBAGE, "function.yaml": SMALL}
    with siege.attacker(package) as attacker:
        for kind in ("noise", "huge", "list", "deep", "wrong", "strange", "nan"):
            answer = attacker.attack({"kind": kind})
            assert answer.status_code in (502, 504), (kind, answer.text)
            siege.check_unharmed()


def test_an_answer_to_an_event_it_was_not_given_is_no_answer(siege: Siege) -> None:
    with siege.attacker({"index.py": FIND_SOCKET + FORGER, "function.yaml": SMALL}) as attacker:
        answer = attacker.attack()
        assert answer.status_code in (200, 502), answer.text
        assert "forged" not in answer.text


def test_headers_of_an_answer_cannot_split_it(siege: Siege) -> None:
    with siege.attacker({"index.py": FIND_SOCKET + SPLITTER, "function.yaml": SMALL}) as attacker:
        for number, kind in enumerate(("text/plain\r\nset-cookie: harm=1", "text/plain"), 1):
            answer = attacker.attack({"n": number, "ct": kind})
            assert "set-cookie" not in answer.headers, answer.headers


def test_a_patched_worker_publishes_only_where_its_manifest_allows(siege: Siege) -> None:
    manifest = SMALL + "publish: [mine/#]\n"
    with siege.attacker({"index.py": PUBLISHER, "function.yaml": manifest}) as attacker:
        answer = attacker.attack()
        assert answer.status_code == 502, answer.text
        assert "alarms/plant/stop" in answer.text


def test_a_worker_that_is_patched_away_still_ends_at_the_deadline(siege: Siege) -> None:
    with siege.attacker({"index.py": PATCHER, "function.yaml": SMALL}) as attacker:
        assert attacker.attack().status_code == 504


def test_one_who_closes_all_that_is_open_fails_its_own_events(siege: Siege) -> None:
    index = "import os\ndef index(event, context):\n    os.closerange(0, 1024)\n    return 1\n"
    with siege.attacker({"index.py": index, "function.yaml": SMALL}) as attacker:
        assert attacker.attack().status_code in (502, 504)


def test_a_package_that_lies_to_the_host_while_it_is_imported_is_not_deployed(siege: Siege) -> None:
    deployed = siege.host.deploy({"index.py": FIND_SOCKET + LIAR, "function.yaml": SMALL}, "liar")
    assert deployed.get("type") != "done", explain(deployed)
    siege.check_unharmed()
    siege.host.client.delete(f"{siege.host.url}/api/functions/liar")
