"""The page of metrics of a real host says what has happened to its functions."""

import httpx

from tests.hosts import RunningHost, StartHost, shared_host, start_host, wait_until
from tests.observing.pages import Families, parse, value_of

__all__ = ["shared_host", "start_host"]

DIVIDE = {"index.py": "def index(event, context):\n    return 1 / event\n"}


def read_page(host: RunningHost) -> Families:
    """The page as anybody on this machine gets it."""
    answer = httpx.get(f"{host.url}/metrics", trust_env=False)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def test_the_page_tells_what_became_of_events_and_who_runs_them(shared_host: RunningHost) -> None:
    shared_host.deploy(DIVIDE, "divide")
    for body in ("1", "2", "0"):
        shared_host.invoke("divide", body)
    shared_host.invoke("nobody", "1")
    page = read_page(shared_host)
    runs = {"function": "divide", "revision": "1", "trigger": "http"}
    assert value_of(page, "fnhost_invocations_total", **runs, result="ok") == 2
    assert value_of(page, "fnhost_invocations_total", **runs, result="raised") == 1
    assert value_of(page, "fnhost_refused_total", function="(unknown)", reason="unknown_function") == 1
    assert value_of(page, "fnhost_invocation_queue_seconds_count", function="divide") == 3
    assert value_of(page, "fnhost_instances", function="divide", state="idle") == 1
    assert value_of(page, "fnhost_starts_total", function="divide", kind="cold") == 1
    assert value_of(page, "fnhost_queue_limit_events", function="divide") == 1000
    assert value_of(page, "fnhost_ready") == 1
    assert value_of(page, "fnhost_scrape_errors_total") == 0
    assert value_of(page, "process_open_fds") > 0
    wait_until(
        lambda: value_of(read_page(shared_host), "fnhost_function_cpu_seconds_total", function="divide") > 0,
        "its processor time is read",
    )
    wait_until(
        lambda: value_of(read_page(shared_host), "fnhost_function_memory_bytes", function="divide") > 0,
        "its memory is read",
    )


def test_the_page_of_a_function_that_is_removed_forgets_it(shared_host: RunningHost) -> None:
    shared_host.deploy(DIVIDE, "short")
    shared_host.invoke("short", "1")
    assert value_of(read_page(shared_host), "fnhost_invocations_total", function="short") == 1
    shared_host.client.delete(f"{shared_host.url}/api/functions/short").raise_for_status()
    told = [each for family in read_page(shared_host).values() for each in family.samples]
    assert not [each for each in told if each.labels.get("function") == "short"]


def test_a_head_has_no_body_and_the_format_is_that_asked_for(shared_host: RunningHost) -> None:
    head = httpx.head(f"{shared_host.url}/metrics", trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    accept = {"accept": "application/openmetrics-text"}
    answer = httpx.get(f"{shared_host.url}/metrics", headers=accept, trust_env=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_config_can_ask_for_a_token(start_host: StartHost) -> None:
    host = start_host("access: {metrics: token}\n")
    url = f"{host.url}/metrics"
    assert httpx.get(url, trust_env=False).status_code == 401
    made = host.client.post(f"{host.url}/api/tokens", json={"scopes": ["read"]}).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert httpx.get(url, headers=bearer, trust_env=False).status_code == 200
