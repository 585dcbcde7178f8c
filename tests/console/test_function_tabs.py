"""The page of one function and its tabs."""

from pathlib import Path
from urllib.parse import quote

import httpx

from tests.browser import Browser
from tests.console.console import go
from tests.functions.wheelhouse import make_wheel
from tests.hosts import Files, RunningHost, wait_until

SEEN = {"index.py": "def index(event, context):\n    return {'hot': event['t'] > 100}\n"}
TALKING = {
    "index.py": "def index(event, context):\n"
    "    context.logger.info_with('<b class=\"owned\">seen</b>', t=event['t'])\n"
    "    if event['t'] > 190:\n        raise ValueError('no sensor gives that')\n    return 1\n"
}
BROKEN = {"index.py": "import no_such_module\n\ndef index(event, context):\n    return 1\n"}
TABS = ("try", "live", "metrics", "logs", "revisions", "why", "environment")


def read(host: RunningHost, path: str) -> httpx.Response:
    """A page as a caller with the local token has it."""
    return httpx.get(host.url + path, headers={"authorization": f"Bearer {host.local_token()}"})


def open_tab(browser: Browser, host: RunningHost, name: str, tab: str) -> None:
    """Open a tab, and wait until it is live."""
    go(browser, host, f"/console/functions/{quote(name)}?tab={tab}")
    browser.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")


def test_each_tab_of_a_function_is_a_page_that_marks_it_and_an_unknown_one_is_none(
    shared_host: RunningHost,
) -> None:
    shared_host.deploy(SEEN, "测温")
    page = f"/console/functions/{quote('测温')}"
    for tab in TABS:
        told = read(shared_host, f"{page}?tab={tab}")
        assert (told.status_code, f'<a href="?tab={tab}" aria-current="page">' in told.text) == (200, True)
    assert '<a href="?tab=try" aria-current="page">' in read(shared_host, page).text
    assert read(shared_host, f"{page}?tab=nothing").status_code == 404
    assert read(shared_host, f"{page}?tab=environment&revision=7").status_code == 404
    assert read(shared_host, "/console/functions/nobody").status_code == 404


def test_the_log_is_followed_filtered_and_held_and_its_lines_stay_text(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy(TALKING, "talking")
    shared_host.invoke("talking", {"t": 188})
    open_tab(console, shared_host, "talking", "logs")
    lines = "[...document.querySelectorAll('.line')].map((line) => line.innerText).join(' ')"
    console.wait_for(f"{lines}.includes('t=188')", "the line of before is there")
    assert '<b class="owned">seen</b>' in console.run(lines)
    assert not console.run("document.querySelector('.owned')")
    shared_host.invoke("talking", {"t": 191})
    console.wait_for(f"{lines}.includes('no sensor gives that')", "what is new comes by itself")
    assert console.run("document.querySelector('.line a').getAttribute('href')").startswith(
        "/console/invocations/"
    )
    console.run("document.getElementById('hold').click()")
    shared_host.invoke("talking", {"t": 17})
    console.wait_for("!document.getElementById('newest').hidden", "it tells of lines that are held back")
    assert "t=17" not in console.run(lines)
    console.run("document.getElementById('newest').click()")
    console.wait_for(f"{lines}.includes('t=17')", "the newest are shown")
    console.run(
        "document.querySelector('#log-filter [name=level]').value = 'error',"
        "document.getElementById('log-filter').dispatchEvent(new Event('input'))"
    )
    console.wait_for(f"{lines}.includes('no sensor') && !{lines}.includes('t=188')", "less is left out")
    assert "level=error" in console.run("location.search")
    assert console.complaints == []


def test_a_pattern_that_is_none_is_refused_with_the_reason(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy(TALKING, "talking")
    go(console, shared_host, "/console/functions/talking?tab=logs&text=([&regex=1")
    console.wait_for("!document.getElementById('log-problem').hidden", "it says so")
    assert "cannot be looked for" in console.run("document.getElementById('log-problem').textContent")
    go(console, shared_host, "/console/functions/talking?tab=logs&text=([")
    console.wait_for("!document.getElementById('no-lines').hidden", "as text it is found nowhere")


def test_revisions_tell_their_errors_their_builds_and_who_deployed_them(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy(SEEN, "twice")
    shared_host.deploy(BROKEN, "twice")
    open_tab(console, shared_host, "twice", "revisions")
    shown = console.run("document.getElementById('revisions').innerText")
    assert shown.index("twice@2") < shown.index("no_such_module") < shown.index("twice@1")
    assert console.run("document.querySelector('[data-number=\"1\"] .badge').innerText") == "live"
    console.wait_for(
        "document.querySelector('[data-who=\"twice@1\"]').textContent.startsWith('local')", "who it was"
    )
    console.run("document.querySelector('[data-log=\"1\"]').click()")
    console.wait_for(
        "document.querySelector('.build-log')?.textContent.length > 10", "the build log is shown"
    )
    shared_host.deploy({**SEEN, "more.txt": "more"}, "twice")
    console.wait_for(
        "document.getElementById('revision').textContent === 'twice@3'", "the head is up to date"
    )
    assert console.run("!!document.querySelector('.build-log')"), "who reads a log is not torn away from it"


def test_charts_instances_and_decisions_show_what_the_load_brought(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy({**SEEN, "function.yaml": "scale: {max: 2}\n"}, "loaded")
    shared_host.invoke("loaded", {"t": 188})
    open_tab(console, shared_host, "loaded", "metrics")
    console.wait_for("document.querySelectorAll('#charts canvas').length === 6", "all charts are drawn")
    shown = "[...document.querySelectorAll('#instances tbody tr')].length"
    wait_until(lambda: shared_host.invoke("loaded", {"t": 1}) and console.run(shown), "an instance is shown")
    rate = "parseFloat(document.querySelector('[data-figure=events]').textContent) > 0"
    wait_until(lambda: shared_host.invoke("loaded", {"t": 1}) and console.run(rate), "the head has its rate")
    shared_host.client.post(f"{shared_host.url}/api/functions/loaded/scale", json={"instances": 2})
    open_tab(console, shared_host, "loaded", "why")
    console.wait_for("document.querySelector('#load canvas')", "the load is drawn")
    console.wait_for(
        "document.getElementById('decisions').innerText.includes('exactly 2 asked for')",
        "the decision is told in a sentence",
    )
    assert console.complaints == []


def test_an_environment_tells_its_packages_and_names_of_variables_whose_values_are_for_admins(
    shared_host: RunningHost, console: Browser, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path, "shelves", "1.2")
    manifest = "description: Warns.\nenv: {GREETING: hush-hush}\n"
    files: Files = {
        **SEEN,
        "function.yaml": manifest,
        "requirements.txt": "shelves\n",
        f"wheels/{wheel.name}": wheel.read_bytes(),
    }
    assert shared_host.deploy(files, "equipped")["type"] == "done"
    told = shared_host.client.get(f"{shared_host.url}/api/functions/equipped/revisions/1/environment").json()
    assert told["packages"] == [{"name": "shelves", "version": "1.2", "source": "wheels"}]
    assert (told["variables"], told["isolation"]) == (["GREETING"], "process")
    assert told["manifest"]["description"] == "Warns."
    assert "hush-hush" not in str(told)
    page = read(shared_host, "/console/functions/equipped?tab=environment").text
    assert "shelves" in page and "GREETING" in page and "hush-hush" not in page
    open_tab(console, shared_host, "equipped", "environment")
    console.wait_for("document.getElementById('pickles').innerText", "the report of pickles is there")
    console.run("document.getElementById('show-values').click()")
    value = "document.querySelector('[data-variable=GREETING]').textContent"
    console.wait_for(f"{value} === 'hush-hush'", "an admin sees the value")
    missing = shared_host.client.get(f"{shared_host.url}/api/functions/equipped/revisions/9/environment")
    assert missing.status_code == 404
