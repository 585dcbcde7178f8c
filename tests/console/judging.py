"""Judges the page that is open: by axe-core, by its words, by its width, and by where the keyboard gets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import Browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
GRAVE = ("serious", "critical")
SETTLED = """
document.readyState === 'complete' && /^(live|idle)$/.test(document.getElementById('live')?.dataset.state)
    && !document.querySelector('.htmx-request') && !document.getAnimations().length
"""
WORDS = """
(() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walk.nextNode(); node; node = walk.nextNode())
        if (!node.parentElement.closest('pre, code, script, textarea, .mono, .json')) found.push(node.data);
    const wrong = /\\bundefined\\b|\\bNaN\\b|\\[object \\w+\\]|\\{\\w+\\}|\\bInvalid Date\\b/g;
    return found.join(' ').match(wrong) ?? [];
})()
"""
"""What people never ought to read: values that were not there, and strings that were not filled in."""
FOCUS = """
(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    const lined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    const seen = lined || style.boxShadow !== 'none';
    window.__stops ??= new Set();
    const again = window.__stops.has(at);
    window.__stops.add(at);
    return {what: at.outerHTML.slice(0, 120), seen, again, there: box.width > 0 && box.height > 0};
})()
"""
MOST_STOPS = 400


@dataclass(frozen=True)
class Stop:
    """An element that has the focus: whether that is seen, and whether it has a place on the page."""

    what: str
    seen: bool
    again: bool
    there: bool


def settle(browser: Browser) -> None:
    """Wait until the page has all that it asked for first, and is live."""
    browser.wait_for(SETTLED, "the page is settled")


def faults(browser: Browser, *rules: str) -> list[str]:
    """What axe-core finds that is serious or critical, by these rules or by all; a line for each element.

    What the browser's console has against axe-core itself, which tries styles of its own, is no complaint.
    """
    before = list(browser.complaints)
    if not browser.run("!!window.axe"):
        browser.run(f"{AXE.read_text('utf-8')}; true")
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    options = json.dumps({"resultTypes": ["violations"], **only})
    told = browser.run(f"axe.run(document, {options}).then((all) => JSON.stringify(all.violations))")
    browser.complaints[:] = before
    return [line for each in json.loads(told) if each["impact"] in GRAVE for line in _lines(each)]


def _lines(violation: dict[str, Any]) -> Iterator[str]:
    for node in violation["nodes"]:
        why = " ".join(each["message"] for each in [*node["any"], *node["all"], *node["none"]])
        yield f"{violation['id']}: {node['html'][:160]} {why[:200]}"


def wrong_words(browser: Browser) -> list[str]:
    """Of the page's text, outside of code."""
    found: list[str] = browser.run(WORDS)
    return found


def owned(browser: Browser) -> list[str]:
    """What hostile text has become that is more than text."""
    found: list[str] = browser.run(
        "[...document.querySelectorAll('.owned, img[src=x]')].map((each) => each.parentElement.outerHTML)"
        ".concat(window.__owned ? ['it ran'] : [])"
    )
    return found


def too_wide(browser: Browser) -> list[str]:
    """Elements that make the page scroll sideways, none if it does not."""
    found: list[str] = browser.run("""
        (() => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return [];
            const kept = (each) => each.closest('.scroll, .pages, [class*=scroll]');
            return [...document.querySelectorAll('body *')]
                .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1 && !kept(each))
                .map((each) => each.outerHTML.slice(0, 140)).concat(`${root.scrollWidth} px`);
        })()
    """)
    return found


def stops(browser: Browser) -> Iterator[Stop]:
    """Where the Tab key gets, one after the other, from the top of the page to its end."""
    browser.run("document.activeElement?.blur(), window.scrollTo(0, 0), window.__stops = new Set(), 0")
    for _ in range(MOST_STOPS):
        browser.press("Tab")
        told = browser.run(FOCUS)
        if told is None or told["again"]:
            return
        yield Stop(**told)
