"""A form that is drawn from a JSON Schema, in a real browser: what is typed is what the document says."""

import json
from typing import Any

import pytest

from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "$defs": {
        "Rate": {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer"}}}
    },
    "properties": {
        "name": {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "what it is called"},
        "level": {"enum": ["low", "high"], "default": "low"},
        "hot": {"type": "boolean", "default": False},
        "share": {"type": ["number", "null"], "minimum": 0},
        "window": {"type": ["string", "number"], "default": 90.0, "examples": ["500ms", "10s", "5m"]},
        "size": {"type": ["string", "integer"], "default": 1048576, "examples": ["512MiB", "10MB"]},
        "password": {"type": "string", "format": "password", "writeOnly": True},
        "kind": {"const": "sensor"},
        "rate": {"anyOf": [{"$ref": "#/$defs/Rate"}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "payload": {"type": ["string", "object", "array"]},
        "target": {
            "oneOf": [
                {"title": "none", "type": "string"},
                {"title": "topic", "type": "object", "properties": {"topic": {"type": "string"}}},
            ]
        },
        "inner": {
            "type": "object",
            "properties": {"deep": {"type": "object", "properties": {"x": {"type": "number"}}}},
        },
    },
}
VALUE = {
    "name": "<img src=x onerror=alert(1)>",
    "password": "${kept:1}",
    "lines": [{"name": "a"}, {"name": "b"}],
    "env": {"A": "1"},
    "odd": {"k": 1},
}
SET = """(at, value) => {
  const box = document.querySelector(`#probe [data-at="${at}"] :is(input, select, textarea)`);
  box.value = value;
  box.dispatchEvent(new Event(box.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true}));
}"""


@pytest.fixture
def form(shared_host: RunningHost, console: Browser) -> Browser:
    """A browser whose page has the form in `probe`, made from SCHEMA and VALUE."""
    go(console, shared_host, "/console/settings")
    console.run(
        f"""(async () => {{
          const {{ SchemaForm }} = await import('/static/js/schema_form.js');
          const box = document.createElement('div');
          box.id = 'probe';
          document.querySelector('main').replaceChildren(box);
          window.changes = 0;
          window.form = new SchemaForm(box, {{
            schema: {json.dumps(SCHEMA)}, value: {json.dumps(VALUE)}, onchange: () => window.changes += 1,
          }});
          window.put = {SET};
          window.press = (selector) => document.querySelector(`#probe ${{selector}}`).click();
          window.open_ = (at) => document.querySelector(`#probe [data-at="${{at}}"]`).open = true;
        }})()"""
    )
    return console


def value(form: Browser) -> Any:
    return form.run("window.form.value")


def test_each_kind_of_value_has_a_field_that_says_it(form: Browser) -> None:
    assert value(form) == VALUE
    for at, typed in {
        "level": "1",
        "hot": "0",
        "share": "0.5",
        "window": "2m",
        "payload": '{"t": 1}',
    }.items():
        form.run(f"put({json.dumps(at)}, {json.dumps(typed)})")
    told = {"level": "high", "hot": True, "share": 0.5, "window": "2m", "payload": {"t": 1}}
    assert value(form) == VALUE | told
    for at in told:
        form.run(f"put({json.dumps(at)}, '')")
    assert value(form) == VALUE
    shown = "document.querySelector('#probe [data-at={}] input').placeholder"
    assert [form.run(shown.format(at)) for at in ("window", "size")] == ["90s", "1MiB"]
    assert form.run("document.querySelectorAll('#probe img').length") == 0
    assert form.run("document.querySelector('#probe [data-at=name] input').value") == VALUE["name"]
    assert form.run("document.querySelector('#probe [data-at=odd] textarea').value") == '{\n "k": 1\n}'


def test_a_secret_that_is_kept_is_not_shown_and_one_that_is_typed_is_hidden(form: Browser) -> None:
    field = "document.querySelector('#probe [data-at=password] input')"
    assert form.run(f"[{field}.type, {field}.value]") == ["password", ""]
    form.run("put('password', 'new')")
    assert (value(form)["password"], form.run(f"{field}.type")) == ("new", "password")
    form.run("put('password', '${env:P}')")
    assert (value(form)["password"], form.run(f"{field}.type")) == ("${env:P}", "text")
    form.run("put('password', '')")
    assert value(form)["password"] == "${kept:1}"


def test_lists_maps_and_choices_grow_move_and_shrink(form: Browser) -> None:
    form.run("open_('lines')")
    form.wait_for("document.querySelector('#probe [data-at=\"lines[1]\"]')", "the list is drawn")
    form.run('press(\'[data-at=lines] [data-place="1"] [data-does="form.up"]\')')
    assert value(form)["lines"] == [{"name": "b"}, {"name": "a"}]
    form.run("press('[data-at=lines] > .group-body > [data-does=\"form.add_item\"]')")
    form.run("put('lines[2].name', 'c')")
    form.run('press(\'[data-at=lines] [data-place="0"] [data-does="form.remove"]\')')
    assert value(form)["lines"] == [{"name": "a"}, {"name": "c"}]
    form.run("open_('env')")
    form.wait_for("document.querySelector('#probe [data-at=\"env.A\"]')", "the map is drawn")
    form.run("document.querySelector('#probe [data-at=env] .row input').value = '__proto__'")
    form.run("press('[data-at=env] [data-does=\"form.add_item\"]')")
    form.run("put('env.__proto__', 'x')")
    assert form.run("JSON.stringify(window.form.value.env)") == '{"A":"1","__proto__":"x"}'
    form.run("open_('target')")
    form.wait_for("document.querySelector('#probe [data-at=target] select')", "the choice is drawn")
    form.run("put('target', '1')")
    form.run("put('target.topic', 'a/b')")
    assert value(form)["target"] == {"topic": "a/b"}
    form.run("press('[data-at=rate] button')")
    form.run("put('rate.count', '3')")
    assert value(form)["rate"] == {"count": 3}
    form.run("press('[data-at=rate] [data-does=\"form.remove\"]')")
    assert "rate" not in value(form)


def test_problems_stand_at_their_fields_which_are_opened_for_them(form: Browser) -> None:
    problems = [
        {"path": "inner.deep.x", "message": "must be a number", "hint": None},
        {"path": "lines[1].name.first", "message": "<b>bold</b>", "hint": "a hint"},
        {"path": "", "message": "all of it", "hint": None},
    ]
    homeless = form.run(f"window.form.tell({json.dumps(problems)})")
    assert [each["message"] for each in homeless] == ["all of it"]
    field = "document.querySelector('#probe [data-at=\"inner.deep.x\"] input')"
    assert form.run(f"{field}.getAttribute('aria-invalid')") == "true"
    problem = f"{field}.getAttribute('aria-describedby').split(' ')[1]"
    assert form.run(f"document.getElementById({problem}).innerText").strip() == "must be a number"
    place = "document.querySelector('#probe [data-at=\"lines[1].name\"] .field-problem').innerText"
    assert form.run(place).endswith("first: <b>bold</b> (a hint)")
    form.run("put('inner.deep.x', '1')")
    assert form.run(f"{field}.hasAttribute('aria-invalid')") is False
    form.run("window.form.tell([])")
    assert form.run("document.querySelectorAll('#probe .has-problem').length") == 0


def test_a_setting_is_found_by_a_part_of_its_name_however_deep_it_is(form: Browser) -> None:
    assert form.run("window.form.filter('DEEP')") == 1
    drawn = "[...document.querySelectorAll('#probe [data-at]')]"
    shown = f"{drawn}.filter((each) => each.checkVisibility()).map((each) => each.dataset.at)"
    assert form.run(shown)[:2] == ["inner", "inner.deep"]
    form.run("window.form.filter('')")
    assert {"name", "lines", "inner"} <= set(form.run(shown))
    assert form.complaints == []
