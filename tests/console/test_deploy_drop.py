"""Deploying by dropping a zip on a page, as a person does it."""

import base64
import json

from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost, StartHost, zip_of

SEEN = {"index.py": "def index(event, context):\n    return {'hot': event['t'] > 100}\n"}
HOSTILE = {"index.py": "raise RuntimeError('<script>document.title = \"taken\"</script>')\n"}
STATES = "[...document.querySelectorAll('.job')].map((job) => job.dataset.state)"


def drop(browser: Browser, **files: bytes) -> None:
    """Drop files on the page, with `.zip` after each name."""
    told = {f"{name}.zip": base64.b64encode(content).decode() for name, content in files.items()}
    browser.run(
        f"""(() => {{
        const moved = new DataTransfer();
        for (const [name, text] of Object.entries({json.dumps(told)}))
          moved.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], name));
        for (const kind of ["dragenter", "dragover", "drop"])
          document.body.dispatchEvent(new DragEvent(kind, {{
            dataTransfer: moved, bubbles: true, cancelable: true}}));
        }})()"""
    )


def text_of(browser: Browser, what: str) -> str:
    """What an element says."""
    return str(browser.run(f"document.querySelector({json.dumps(what)}).innerText"))


def test_a_dropped_zip_is_deployed_under_its_files_name_and_leads_to_the_function(
    shared_host: RunningHost, console: Browser
) -> None:
    go(console, shared_host, "/console/functions")
    drop(console, dropped=zip_of(SEEN))
    console.wait_for("document.activeElement.closest('.job')", "it asks under which name")
    console.press("Enter")
    console.wait_for("document.querySelector('.job[data-state=done]')", "it is deployed")
    assert "dropped@1 is live after" in text_of(console, ".job")
    assert console.run("document.querySelectorAll('.job .steps li').length") >= 4
    assert text_of(console, ".job .log")
    assert shared_host.describe("dropped")["revision"] == 1
    console.wait_for("document.querySelector('tr[data-name=dropped]')", "the table has it")
    link = "/console/functions/dropped?tab=try"
    assert console.run("document.querySelector('.job a.button').getAttribute('href')") == link
    assert console.complaints == []


def test_a_package_that_does_not_start_is_explained_as_on_the_command_line_and_as_text(
    shared_host: RunningHost, console: Browser
) -> None:
    shared_host.deploy(SEEN, "kept")
    go(console, shared_host, "/console/functions/kept?tab=logs")
    drop(console, other=zip_of(HOSTILE))
    console.wait_for("document.querySelector('.job input')?.value === 'kept'", "the page's own name is told")
    console.run("document.querySelector('.job form').requestSubmit()")
    console.wait_for("document.querySelector('.job[data-state=failed]')", "it says that it failed")
    said = text_of(console, ".job")
    assert "what ran before still runs" in said
    assert "The package does not start" in said
    assert "RuntimeError: <script>" in said
    assert "index.py" in text_of(console, ".job pre:not(.log)")
    assert console.run("document.title") != "taken"
    console.wait_for("!document.getElementById('trouble').hidden", "the head of the page has the error, too")
    assert shared_host.describe("kept")["revision"] == 1


def test_several_are_deployed_one_after_the_other_and_what_is_no_zip_is_not_sent(
    shared_host: RunningHost, console: Browser
) -> None:
    go(console, shared_host, "/console/functions")
    drop(console, one=zip_of(SEEN), notes=b"these are notes", two=zip_of({**SEEN, "more.txt": "2"}))
    console.wait_for("document.querySelectorAll('.job').length === 3", "each has its place")
    assert "This is no zip" in text_of(console, ".job[data-state=refused]")
    submit = "document.querySelectorAll('.job form').forEach((form) => form.requestSubmit())"
    assert sorted(console.run(f"({submit}, {STATES})")) == ["queued", "refused", "sending"]
    console.wait_for("document.querySelectorAll('.job[data-state=done]').length === 2", "both are deployed")
    assert {"one", "two"} <= {each["name"] for each in listed(shared_host)}
    assert "notes" not in {each["name"] for each in listed(shared_host)}


def test_a_host_that_goes_away_under_an_upload_is_told_of_and_the_package_can_be_sent_again(
    start_host: StartHost, browser: Browser
) -> None:
    host = start_host()
    sign_in(browser, host)
    go(browser, host, "/console/functions")
    drop(browser, late=zip_of(SEEN))
    browser.wait_for("document.querySelector('.job form')", "it asks")
    host.kill()
    browser.run("document.querySelector('.job form').requestSubmit()")
    browser.wait_for("document.querySelector('.job[data-state=failed]')", "it says that it failed")
    assert "The connection broke" in text_of(browser, ".job")
    browser.run("[...document.querySelectorAll('.job button')][0].click()")
    browser.wait_for("document.querySelector('.job[data-state=waiting]')", "it can be sent again")


def listed(host: RunningHost) -> list[dict[str, str]]:
    """All functions."""
    told: list[dict[str, str]] = host.client.get(f"{host.url}/api/functions").json()["functions"]
    return told
