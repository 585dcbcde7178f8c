"""The tab Live: input against output, sampled only while somebody looks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from host.console.live.tap import LARGEST, MOST_BYTES, MOST_FAILED, MOST_SAMPLES, TapSource
from runtime.events import Answer, Event, FunctionRaisedError
from runtime.observations import Observers, Run, result_of
from runtime.spec import PoolSpec
from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost

SPEC = PoolSpec("industry", 3, "0" * 64, Path("python"), Path("package"), Path("output"))
HOSTILE = "<img src=x onerror=1>"
FUNCTION = f"""
def index(event, context):
    if event["n"] % 20 == 7:
        raise ValueError("not {HOSTILE}")
    return {{"risk": event["n"] * 2, "note": "{HOSTILE}", "label": str(event["n"] % 3)}}
"""


def end_run(observers: Observers, body: bytes = b'{"t": 1}', answer: bytes | None = b'{"hot": true}') -> None:
    """Tell that an event has ended; without an answer it failed."""
    outcome = FunctionRaisedError("ValueError", "no", []) if answer is None else Answer(answer)
    event = Event(body, "application/json", meta={"device": "press-1"})
    observers.ended(Run(SPEC, event, outcome, result_of(outcome), 1.0, 1.1, 1.2, 0.1, 7))


def tapped(redact: tuple[str, ...] = ()) -> tuple[Observers, TapSource]:
    observers = Observers()
    return observers, TapSource(observers, lambda: {"industry"}, [tuple(path.split(".")) for path in redact])


def test_nothing_is_collected_unless_somebody_looks() -> None:
    observers, tap = tapped()
    assert vars(observers) == {"_all": []}  # an event costs nothing more than before
    end_run(observers)
    tap.opened("industry")
    assert (tap.tell("industry"), vars(observers)["_all"]) == (None, [tap])
    end_run(observers)
    (sample,) = tap.tell("industry")["samples"]
    assert (sample["input"]["text"], sample["output"]["text"]) == ('{"t": 1}', '{"hot": true}')
    assert (sample["device"], sample["result"]) == ("press-1", "ok")
    assert tap.begin("industry")["samples"] == [sample]
    tap.closed("industry")
    assert vars(observers) == {"_all": []}
    with pytest.raises(KeyError):
        tap.opened("nobody")


def test_samples_are_bounded_and_failures_are_among_them() -> None:
    observers, tap = tapped()
    tap.opened("industry")
    for _ in range(1000):
        end_run(observers)
    for _ in range(100):
        end_run(observers, answer=None)
    told = tap.tell("industry")
    assert (told["seen"], told["failed"]) == (1100, 100)
    assert [each["result"] for each in told["samples"]] == ["ok"] * MOST_SAMPLES + ["raised"] * MOST_FAILED
    large = json.dumps({"x": "y" * (LARGEST - 20)}).encode()
    for _ in range(10):
        end_run(observers, large, large)
    assert len(tap.tell("industry")["samples"]) == MOST_BYTES // (2 * len(large)) + 1
    end_run(observers, b"x" * (LARGEST + 1), b"\xff")
    (cut,) = tap.tell("industry")["samples"]
    assert (cut["input"]["text"], cut["input"]["size"], cut["output"]["text"]) == (None, LARGEST + 1, None)


def test_samples_are_redacted_as_records_are() -> None:
    observers, tap = tapped(("user.password",))
    tap.opened("industry")
    end_run(observers, b'{"user": {"password": "secret"}}', b"not json")
    (sample,) = tap.tell("industry")["samples"]
    assert "secret" not in json.dumps(sample) and "***" in sample["input"]["text"]
    assert sample["output"]["text"] is None and sample["output"]["lost"]


@contextmanager
def loading(host: RunningHost, name: str) -> Iterator[None]:
    """Events one after the other, until the end of the `with`."""
    stopped = threading.Event()

    def send() -> None:
        with httpx.Client() as client:
            n = 0
            while not stopped.is_set():
                n += 1
                body: dict[str, Any] = {"deep": {"n/t": n}, "n": n, "text": HOSTILE}
                client.post(f"{host.url}/invoke/{name}", json=body)
                stopped.wait(0.01)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        stopped.set()
        sender.join()


def test_the_live_plot_moves_and_its_fields_are_chosen_in_the_json(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": FUNCTION}, "moving")
    go(console, shared_host, "/console/functions/moving?tab=live")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    assert console.run("document.getElementById('waiting').checkVisibility()")
    with loading(shared_host, "moving"):
        console.wait_for("document.querySelector('#plot canvas')", "the plot is drawn")
        chips = "[...document.querySelectorAll('.chip')].map((each) => each.textContent).join()"
        assert console.run(chips) == "in deep.n/t ✕,out risk ✕"
        words = "document.querySelector('#plot .unseen').textContent"
        told = json.dumps(console.run(words))
        console.wait_for(f"{words} !== {told} && {words}.includes('out risk')", "the plot moves")
        label = "[...document.querySelectorAll('#output button.json-value')].at(-1)"
        console.wait_for(f"{label} && ({label}.focus(), {label}.click(), true)", "a field is clicked")
        console.wait_for(f"{chips}.endsWith('out label ✕')", "a field is added")
        console.wait_for(f"{words}.includes('out label')", "it is drawn")
        assert console.run(f"document.activeElement === {label}")
        state = "document.getElementById('tap-state').textContent"
        console.wait_for(f"/, [1-9]\\d* failed/.test({state})", "failures are counted")
        shared = console.run("location.search")
        console.run("document.querySelector('.chip').click()")
        console.wait_for(f"!{chips}.includes('in ')", "a field is removed")
        go(console, shared_host, f"/console/functions/moving{shared}", "zh-CN")
        console.wait_for("document.querySelectorAll('.chip').length === 3", "the link shows the same fields")
        assert console.run("document.querySelector('.chip').textContent").startswith("输入 deep.n/t")
    assert console.run("document.querySelectorAll('main img').length") == 0
    assert console.complaints == []


def test_what_is_exported_is_no_formula_of_a_spreadsheet(shared_host: RunningHost, console: Browser) -> None:
    go(console, shared_host, "/console/sign-in")
    cells = console.run(
        "import('/static/js/csv.js').then(({cell}) => "
        "[-1.5, '-1.5', '=1+1', '@x', 'a,b', '\"', '车间'].map((each) => cell(each)))"
    )
    assert cells == ["-1.5", "'-1.5", "'=1+1", "'@x", '"a,b"', '""""', "车间"]
