"""The overview: what is wrong first, then charts that one can move about in by mouse and by keys."""

from typing import get_args

import httpx

from host.console.catalog import Catalog
from host.console.problems import Kind
from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost, StartHost, wait_until

CONFIG = """
mqtts:
  - {name: hall, broker: "mqtt://127.0.0.1:1"}
rules:
  - name: line
    sub: {name: hall, clientId: in, topic: "line/#"}
    pub: {name: hall, clientId: out, topic: answers}
    functions: [absent]
"""
SHAKY = "def index(event, context):\n    raise ValueError(event)\n"
CHARTS = ("events", "times", "load", "memory", "delivery")


def have_two_instances(host: RunningHost, name: str) -> None:
    told = host.client.post(f"{host.url}/api/functions/{name}/scale", json={"instances": 2})
    assert told.status_code == 200, told.text


def fragment(host: RunningHost, part: str, language: str = "en") -> str:
    headers = {"authorization": f"Bearer {host.local_token()}", "accept-language": language}
    answer = httpx.get(f"{host.url}/console/overview", params={"part": part}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_each_problem_has_its_words_and_names_the_way_to_where_it_is_mended() -> None:
    keys = Catalog().keys()
    for group in ("problem", "mend"):
        assert {key for key in keys if key.startswith(f"overview.{group}.")} == {
            f"overview.{group}.{kind}" for kind in get_args(Kind)
        }


def test_what_is_wrong_is_said_in_both_languages_with_the_way_to_where_it_is_mended(
    start_host: StartHost,
) -> None:
    host = start_host(CONFIG)
    english, chinese = fragment(host, "problems"), fragment(host, "problems", "zh-CN")
    assert "Broker hall is away (connections: 2)." in english and 'href="/console/mqtt"' in english
    assert "MQTT 服务器 hall 连接中断（2 个连接）。" in chinese
    assert "<time data-at=" in english, "a broker says since when it is away"
    brokers = fragment(host, "brokers")
    assert "away" in brokers and "0 / 2" in brokers


def test_the_overview_shows_a_function_that_fails_and_why_it_has_its_instances(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": SHAKY}, "overview-shaky")
    for _ in range(6):
        assert shared_host.invoke("overview-shaky", "{}").status_code == 500
    have_two_instances(shared_host, "overview-shaky")
    go(console, shared_host, "/")
    failing = "#problems a[href='/console/invocations?function=overview-shaky&result=failed']"

    def is_said() -> bool:
        shared_host.invoke("overview-shaky", "{}")  # however long it takes, some are of the last minute
        return bool(console.run(f'!!document.querySelector("{failing}")'))

    wait_until(is_said, "what fails is said by itself")
    assert "overview-shaky fails 100 %" in console.run("document.getElementById('problems').innerText")
    drawn = " && ".join(f"document.querySelector('#{name} canvas')" for name in CHARTS)
    console.wait_for(drawn, "all charts are drawn")
    events = "document.querySelector('#events .u-legend').innerText"
    console.wait_for(f"{events}.includes('raised an error')", "each result that occurred has its layer")
    figure = "document.querySelector('[data-figure=instances]').textContent"
    console.wait_for(f"Number({figure}) >= 1", "figures follow the host")
    why = "document.querySelector('#decisions a[href=\"/console/functions/overview-shaky?tab=why\"]')"
    console.wait_for(why, "the decision is listed")
    said = "Instances 1 → 2: exactly 2 asked for by `fnhost scale`"
    assert said in console.run(f"{why}.parentElement.innerText")
    assert console.complaints == []


def test_charts_have_one_cursor_and_one_zoom_and_keys_go_to_decisions(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({"index.py": SHAKY}, "overview-keys")
    have_two_instances(shared_host, "overview-keys")
    go(console, shared_host, "/")
    listed = "document.querySelector('#decisions a[href*=overview-keys]')"
    console.wait_for(f"document.querySelector('#load canvas') && {listed}", "the chart has its marks")
    console.run("document.querySelector('#load .chart').focus()")
    said = "document.querySelector('#load [aria-live]').textContent"

    def go_back() -> bool:
        console.press("ArrowUp")
        return "overview-keys" in console.run(said)

    wait_until(go_back, "keys reach the mark")
    assert "instances: " in console.run(said)
    tip = "document.querySelector('#load .chart-tip:not([hidden])')?.textContent"
    assert "overview-keys: Instances 1 → 2" in console.run(tip)
    cursor = "document.querySelector('#events .u-cursor-x').style.transform"
    assert "-10px" not in console.run(cursor), "the other charts follow"
    box = console.run("document.querySelector('#events .u-over').getBoundingClientRect().toJSON()")
    drag(console, box, 0.2, 0.7)
    whole = "[...document.querySelectorAll('.chart-whole')].filter((each) => !each.hidden).length"
    console.wait_for(f"{whole} === {len(CHARTS)}", "what is zoomed in one is zoomed in all")
    console.run("document.querySelector('#load .chart').focus()")
    console.press("Escape")
    console.wait_for(f"{whole} === 0", "all is shown again")
    console.run("document.querySelector('.spans a[href=\"/?span=2h\"]').click()")
    assert console.run("location.search") == "?span=2h"
    go(console, shared_host, "/?span=24h", "zh-CN")
    assert console.run("document.querySelector('.spans [aria-current]').textContent") == "24 小时"
    console.wait_for("document.querySelector('#events canvas')", "the span is remembered")
    assert console.complaints == []


def drag(console: Browser, box: dict[str, float], start: float, end: float) -> None:
    y = box["y"] + box["height"] / 2
    for kind, share in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
        x = box["x"] + share * box["width"]
        console.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
