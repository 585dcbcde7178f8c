"""The console's files keep to its rules: nothing inline, nothing from elsewhere, each thing in one place."""

import re
from pathlib import Path

import pytest

from host.console.site import STATIC
from tests.console.sources import IMPORT, SCRIPTS, STYLES, loaded, parts, scripts, templates, views

HANDLER = re.compile(r"<[^>]*\s(?:on\w+|style|hx-on[\w:-]*)\s*=", re.IGNORECASE)
INLINE = re.compile(r"<style|<script(?![^>]*(?:\bsrc=|type=\"application/json\"))[^>]*>", re.IGNORECASE)
MARKUP = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTMLUnsafe"
    r"|eval|new Function|srcdoc)\b"
)
ELSEWHERE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/|127\.0\.0\.1)[\w-]+\.[\w.-]+")
UNSAFE = re.compile(r"\|\s*safe\b|\bautoescape\s+false|Markup\(")
ONLY_IN = {r"\bnew uPlot\b": "charts", r"\bEventSource\b": "live", r"\bIntl\.": "format"}
"""What has one place, by the script that is it."""


@pytest.mark.parametrize("name", templates())
def test_a_template_has_nothing_inline_and_nothing_unescaped(name: str) -> None:
    text = templates()[name]
    for pattern in (HANDLER, INLINE, UNSAFE, ELSEWHERE):
        assert not pattern.findall(text)


@pytest.mark.parametrize("name", scripts())
def test_a_script_makes_no_markup_of_text_and_asks_nobody_else(name: str) -> None:
    # What htmx is told to do with what the host's templates made.
    text = scripts()[name].replace('swap: "innerHTML"', "")
    assert not MARKUP.findall(text)
    assert not ELSEWHERE.findall(text)
    assert "style=" not in text


def test_each_script_says_first_what_is_in_it() -> None:
    for file in SCRIPTS.glob("*.js"):
        assert re.match(r"// [A-Z].+\.", file.read_text("utf-8")), file.name


@pytest.mark.parametrize("file", sorted(STYLES.glob("*.css")), ids=lambda file: file.name)
def test_a_style_fetches_only_our_own(file: Path) -> None:
    assert not re.findall(r"url\((?!\"/static/)|@import (?!url)", file.read_text("utf-8"))


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_what_all_pages_share_has_one_place(pattern: str) -> None:
    assert {name for name, text in scripts().items() if re.search(pattern, text)} == {ONLY_IN[pattern]}


def test_each_script_style_and_template_belongs_to_a_page() -> None:
    shown = views()
    assert set(scripts()) == {name for view in shown for name in loaded(view)}
    stems = {file for view in shown for file in view.files}
    styles = {file.stem: file.read_text("utf-8") for file in STYLES.glob("*.css")}
    assert set(styles) <= {
        "console",
        *stems,
        *re.findall(r"/static/css/([\w-]+)\.css", "".join(styles.values())),
    }
    named = {f"{view.template}.html" for whole in shown for view in (whole, *parts(whole))}
    named |= {f"parts/{'-'.join(view.files[-1:])}.html" for view in shown if view.tab}
    while more := {each for name in named & set(templates()) for each in included(name)} - named:
        named |= more
    assert set(templates()) <= named


def included(name: str) -> set[str]:
    """The templates that one names."""
    return set(re.findall(r'(?:extends|include|from|import)\s+"([\w/.-]+\.html)"', templates()[name]))


def test_the_scripts_are_small_enough_to_read_and_find_what_they_import() -> None:
    told = scripts()
    for name, text in told.items():
        assert text.count("\n") <= 300, name
        assert set(IMPORT.findall(text)) <= set(told), name
    assert {folder.name for folder in STATIC.iterdir()} == {"js", "css", "vendor"}
