"""The settings in a real browser: the config as a form, tokens, the audit log."""

import re
from collections.abc import Iterator

import httpx
import pytest

from conf.load import json_schema
from host.console.catalog import Catalog
from tests.brokers import free_port
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost

CONFIG = """\
# hall 2
mqtts:
- name: plant   # 产线
  broker: "tcp://127.0.0.1:1"
  password: geheim-1
funcs:
- modelName: trend
log: {level: info}
"""
STATUS = "document.getElementById('status').textContent"
TYPE = """(at, value) => {
  const box = document.querySelector(`#form [data-at="${at}"] :is(input, select)`);
  box.value = value;
  box.dispatchEvent(new Event('input', {bubbles: true}));
}"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    running = RunningHost(tmp_path_factory.mktemp("settings"), CONFIG)
    running.listen = f"127.0.0.1:{free_port()}"  # the same after a restart
    yield running.start()
    running.close()


@pytest.fixture
def page(host: RunningHost, browser: Browser) -> Browser:
    """A browser that is signed in, with the config as it was at the start."""
    (host.folder / "config.yaml").write_text(CONFIG)
    assert host.client.post(f"{host.url}/api/config", json={}).status_code == 200
    sign_in(browser, host)
    browser.run("sessionStorage.clear()")
    browser.complaints.clear()
    return browser


def open_config(page: Browser, host: RunningHost, language: str = "en") -> None:
    go(page, host, "/console/settings", language)
    page.wait_for("!document.getElementById('config').hasAttribute('aria-busy')", "the form is drawn")
    page.run(f"window.type = {TYPE}")


def open_broker(page: Browser) -> None:
    for at in ("mqtts", "mqtts[0]"):
        page.run(f"document.querySelector('#form [data-at=\"{at}\"]').open = true")
        page.wait_for(f"document.querySelector('#form [data-at=\"{at}\"] .group-body > *')", f"{at} is open")


def press(page: Browser, name: str) -> None:
    page.run(f"document.getElementById('{name}').click()")


def test_a_mistake_is_shown_at_its_field_and_a_change_is_applied_as_it_was_shown(
    page: Browser, host: RunningHost
) -> None:
    open_config(page, host)
    assert page.run(STATUS) == "No changes"
    open_broker(page)
    page.run("type('mqtts[0].broker', 'nowhere')")
    page.wait_for(
        "document.querySelector('[data-at=\"mqtts[0].broker\"].has-problem')", "the mistake is told"
    )
    assert page.run(STATUS) == "Problems: 1"
    assert "tcp://" in page.run("document.querySelector('.has-problem .field-problem').innerText")
    assert page.run("document.querySelector('#index [data-section=mqtts] .state').textContent") == "1"
    press(page, "review")
    page.wait_for(
        "document.activeElement.getAttribute('aria-invalid') === 'true'", "the mistake has the focus"
    )
    page.run("type('mqtts[0].broker', 'tcp://127.0.0.1:2')")
    page.wait_for(f"{STATUS} === 'Changed, not applied yet'", "the mistake is gone")
    press(page, "review")
    page.wait_for("!document.getElementById('changes').hidden", "the difference is shown")
    told = page.run("document.getElementById('changes').innerText")
    assert "changed: plant" in told
    assert '-  broker: "tcp://127.0.0.1:1"' in told
    assert "+  broker: tcp://127.0.0.1:2" in told or '+  broker: "tcp://127.0.0.1:2"' in told
    assert "geheim" not in page.run("document.documentElement.outerHTML")
    press(page, "apply")
    page.wait_for("document.querySelector('[data-notice=applied]')", "it is applied")
    file = (host.folder / "config.yaml").read_text()
    assert "127.0.0.1:2" in file
    assert [line for line in CONFIG.splitlines() if line not in file] == ['  broker: "tcp://127.0.0.1:1"']
    assert page.run(STATUS) == "No changes"
    page.run("location.hash = '#funcs', 0")
    page.wait_for("document.querySelector('#form [data-at=funcs]').open", "an address leads to its section")
    assert page.complaints == []


def test_what_is_not_applied_outlives_a_change_of_language_and_a_restart_of_the_host(
    page: Browser, host: RunningHost
) -> None:
    open_config(page, host)
    page.run("type('listen', '127.0.0.1:7777')")
    page.wait_for(f"{STATUS} === 'Changed, not applied yet'", "it is checked")
    page.run(
        "document.getElementById('language').value = 'zh-CN',"
        "document.getElementById('language').dispatchEvent(new Event('change'))"
    )
    page.wait_for(
        f"document.documentElement.lang === 'zh-CN' && {STATUS} === '已修改，尚未应用'", "it is back"
    )
    assert page.run("document.querySelector('[data-at=listen] input').value") == "127.0.0.1:7777"
    host.stop()
    page.wait_for(
        "document.getElementById('live').dataset.state === 'lost'", "the page says that it is alone"
    )
    host.start()
    page.wait_for("document.getElementById('live').dataset.state === 'live'", "the host is back")
    assert page.run("document.querySelector('[data-at=listen] input').value") == "127.0.0.1:7777"
    assert "监听地址" in page.run("document.querySelector('[data-at=listen] label').innerText")
    press(page, "review")
    page.wait_for("document.getElementById('effects').innerText.includes('重启主机后生效')", "it says when")
    press(page, "apply")
    page.wait_for("document.querySelector('[data-notice=restart]')", "what waits for a restart is marked")
    assert page.run("document.querySelector('[data-at=listen] .state').textContent") == "需重启"


def test_the_text_and_the_form_say_the_same(page: Browser, host: RunningHost) -> None:
    open_config(page, host)
    page.run("type('listen', '127.0.0.1:7778')")
    press(page, "as-text")
    text = "document.getElementById('text')"
    page.wait_for(f"!{text}.closest('[hidden]') && {text}.value.includes('7778')", "the text has the change")
    assert "${kept:1}" in page.run(f"{text}.value")
    page.run(f"{text}.value = {text}.value.replace('level: info', 'level: loud')")
    page.run(f"{text}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    page.wait_for("document.querySelector('#text-problems button')", "the mistake is told with its line")
    assert re.match(
        r"8: log\.level: ", page.run("document.querySelector('#text-problems button').textContent")
    )
    press(page, "as-form")
    page.wait_for("document.querySelector('[data-at=\"log.level\"].has-problem')", "it stands at its field")
    assert page.run("document.querySelector('[data-at=listen] input').value") == "127.0.0.1:7778"


def test_who_changes_the_file_meanwhile_is_not_overwritten(page: Browser, host: RunningHost) -> None:
    open_config(page, host)
    page.run("type('listen', '127.0.0.1:7779')")
    page.wait_for(f"{STATUS} === 'Changed, not applied yet'", "it is checked")
    (host.folder / "config.yaml").write_text(CONFIG.replace("trend", "other"))
    press(page, "review")
    page.wait_for("document.querySelector('[data-notice=conflict]')", "the conflict is told")
    page.run("document.querySelector('[data-notice=conflict] button').click()")
    page.wait_for("!document.querySelector('[data-notice=conflict]')", "the file is taken")
    page.wait_for("document.querySelector('[data-notice=differs]')", "the file is not in force yet")
    assert page.run("document.querySelector('[data-at=listen] input').value") == ""


def test_tokens_are_made_shown_once_and_revoked_and_the_log_tells_it(
    page: Browser, host: RunningHost
) -> None:
    go(page, host, "/console/settings?tab=tokens")
    page.wait_for("document.querySelector('#tokens > *')", "tokens are listed")
    page.run("document.getElementById('name').value = '<i>line 3</i>'")
    page.run("document.getElementById('create').requestSubmit()")
    page.wait_for("document.getElementById('token').textContent", "the token is shown")
    token = page.run("document.getElementById('token').textContent")
    told = httpx.get(f"{host.url}/api/session", headers={"authorization": f"Bearer {token}"}).json()
    assert "invoke:*" in told["scopes"] and "admin" not in told["scopes"]
    page.wait_for(
        "document.querySelector('#tokens tbody td').textContent === '<i>line 3</i>'", "it is listed"
    )
    page.run("document.querySelector('#tokens tbody button').click()")
    page.wait_for("document.querySelector('dialog .danger')", "it asks first")
    page.run("document.querySelector('dialog .danger').click()")
    page.wait_for("document.querySelector('#tokens .state.bad')", "it is revoked")
    go(page, host, "/console/settings?tab=audit")
    page.wait_for("document.querySelector('#records td code')", "the log is shown")
    assert "token.revoke" in page.run("document.getElementById('records').innerText")
    page.wait_for("document.querySelector('#chain.good')", "the log is whole")
    assert page.complaints == []


def test_who_may_only_read_sees_what_host_this_is(host: RunningHost, browser: Browser) -> None:
    token = host.client.post(f"{host.url}/api/tokens", json={"scopes": ["read"]}).json()["token"]
    sign_in(browser, host, token)
    go(browser, host, "/console/settings")
    browser.wait_for("document.getElementById('addresses').textContent.includes('127.0.0.1')", "it is told")
    tabs = browser.run("[...document.querySelectorAll('.tabs a')].map((each) => each.textContent)")
    assert tabs == ["About"]
    assert str(host.state) in browser.run("document.querySelector('.about').innerText")


def test_every_section_of_the_config_has_a_name_in_both_languages() -> None:
    catalog = Catalog()
    missing = [key for key in json_schema()["properties"] if not catalog.has(f"settings-config.label.{key}")]
    assert missing == []


def test_every_name_is_one_of_a_key_that_there_is() -> None:
    schema = json_schema()

    def at(place: dict[str, object], steps: list[str]) -> bool:
        while "$ref" in place or "anyOf" in place:
            options = place.get("anyOf")
            first = options[0] if isinstance(options, list) else place
            place = schema["$defs"][str(first["$ref"]).rsplit("/", 1)[1]] if "$ref" in first else first
        inner = place.get("properties", {})
        if not steps:
            return True
        name = steps[0].removesuffix("[]")
        assert isinstance(inner, dict)
        if name not in inner:
            return False
        found = inner[name]["items"] if steps[0].endswith("[]") else inner[name]
        return at(found, steps[1:])

    head = "settings-config.label."
    keys = Catalog().keys()
    names = [key.removeprefix(head) for key in keys if key.startswith(head)]
    assert [name for name in names if not at(schema, name.split("."))] == []
