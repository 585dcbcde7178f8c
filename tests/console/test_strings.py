"""All that the console says is said in both languages, stands in `strings/`, and is used."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from host.console.catalog import LANGUAGES, PLACEHOLDER, SHARED, Catalog
from host.console.site import View
from tests.console.sources import is_text, loaded, modules, scripts, templates, views

CHINESE = re.compile(r"[\u4e00-\u9fff]")
KEY = r"[a-z][\w-]*(?:\.[\w-]+)+"
SAID = re.compile(rf"""\bt\(\s*["'`]({KEY})["'`]""")
"""A key of `t("…")`."""
QUOTED = re.compile(rf"""["'`]({KEY})["'`]""")
BEGUN = re.compile(r"""["']([a-z][\w-]*(?:\.[\w-]+)*[._])["']\s*[~+]|`([a-z][\w-]*(?:\.[\w-]+)*[._])\$\{""")
"""The beginning of a key whose rest only the page knows: `"console.page." ~ name`, `` `a.b.${c}` ``."""
SAME = re.compile(r"^(?:MQTT|API|JSON|HTTP|CPU|QoS|curl|mosquitto_pub|[A-Za-zµ%]{0,3}|p\d\d)$")
"""What an engineer reads in every language, beside what a string has filled in."""
NAMES = {"fnhost", "Noto Sans", "sha256", "Python", "QoS"}
MEDIA_TYPE = re.compile(r"(?:application|text)/[\w.+-]+")
SHOWN = {"title", "aria-label", "placeholder", "alt", "label", "aria-description", "data-tip"}
"""Attributes that people see or hear."""
CODE = {"code", "pre", "samp", "kbd", "script", "style"}
EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
SENTENCE = re.compile(r"""(["'`])([A-Z][a-z]+ [^"'`]*[a-z][^"'`]*|[^"'`]*[\u4e00-\u9fff][^"'`]*)\1""")
WORDED = re.compile(
    r"""(?:textContent|title|placeholder|innerText|"aria-label")\s*[:=]\s*["'`]([^"'`$]*)["'`]"""
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


def sources() -> dict[str, str]:
    """All that may name a string."""
    return {**templates(), **{f"{name}.js": text for name, text in scripts().items()}, **modules()}


def said(text: str) -> set[str]:
    return set(SAID.findall(text))


def begun(text: str) -> set[str]:
    return {one or other for one, other in BEGUN.findall(text)}


def test_each_string_that_is_asked_for_is_there(catalog: Catalog) -> None:
    missing = {f"{name}: {key}" for name, text in sources().items() for key in said(text) - catalog.keys()}
    assert not missing


def test_each_string_is_used(catalog: Catalog) -> None:
    told = sources().values()
    quoted = {key for text in told for key in QUOTED.findall(text)}
    heads = tuple({head for text in told for head in begun(text)})
    assert not {key for key in catalog.keys() - quoted if not key.startswith(heads)}


@pytest.mark.parametrize("view", views(), ids=lambda view: "-".join(view.files))
def test_the_scripts_of_a_page_have_the_strings_that_they_say(view: View, catalog: Catalog) -> None:
    told, there = scripts(), {SHARED, *view.namespaces}
    spaces = {key.split(".")[0] for key in sorted(catalog.keys())}
    for name in loaded(view):
        heads = {key.split(".")[0] for key in said(told[name]) | begun(told[name])}
        assert heads & spaces <= there, f"{name}.js says what the page does not bring"


def test_what_is_said_in_chinese_is_chinese(catalog: Catalog) -> None:
    assert set(LANGUAGES) == {"en", "zh-CN"}
    for key in sorted(catalog.keys()):
        bare = PLACEHOLDER.sub("", catalog.say("zh-CN", key))
        words = re.findall(r"[\wµ%]+", bare)
        assert CHINESE.search(bare) or all(SAME.match(word) for word in words), f"{key}: {bare}"
        assert not CHINESE.search(catalog.say("en", key)), key


def test_a_broker_has_one_name_in_chinese(catalog: Catalog) -> None:
    assert not {key for key in sorted(catalog.keys()) if "代理" in catalog.say("zh-CN", key)}


class Words(HTMLParser):
    """What a template says outside of its expressions, but for code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in CODE:
            self._inside.append(tag)
        self.found += [value for name, value in attrs if name in SHOWN and value and " " in value.strip()]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found += [
                word
                for word in re.findall(r"[^\s·]+", data)
                if word not in NAMES and not MEDIA_TYPE.fullmatch(word)
            ]


def literal_words(template: str) -> Iterator[str]:
    words = Words()
    words.feed(EXPRESSION.sub("", template))
    return (word for word in words.found if is_text(word))


@pytest.mark.parametrize("name", templates())
def test_a_template_has_no_words_of_its_own(name: str) -> None:
    text = templates()[name]
    assert not list(literal_words(text))
    assert not [found for expression in EXPRESSION.findall(text) for found in SENTENCE.findall(expression)]


@pytest.mark.parametrize("name", scripts())
def test_a_script_has_no_words_of_its_own(name: str) -> None:
    filled = re.sub(r"\$\{[^{}]*\}", "", scripts()[name])
    lines = [line for line in filled.splitlines() if "new Error(" not in line]
    found = [match[1] for line in lines for match in SENTENCE.findall(line) if match[1] not in NAMES]
    found += [word for line in lines for word in WORDED.findall(line) if is_text(word) and word not in NAMES]
    assert not found


def test_the_checks_see_what_they_look_for() -> None:
    assert list(literal_words("<p title='Two words'>{{ t('a.b') }} plain <code>fnhost serve</code></p>")) == [
        "Two words",
        "plain",
    ]
    assert [match[1] for match in SENTENCE.findall('make("p", {}, "No data yet", "table.list", `好`)')] == [
        "No data yet",
        "好",
    ]
    assert begun('t("console.page." ~ name) t(`console.live.${state}`, {})') == {
        "console.page.",
        "console.live.",
    }
