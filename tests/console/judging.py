"""Judges the page that is open: by axe-core, by its words, by its width, and by where the keyboard gets."""

import json
import time
from collections.abc import Iterator
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
BEGIN = """
(() => {
    const found = 'a[href], button, input:not([type=radio]), select, textarea, summary, [tabindex="0"]';
    const open = (each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility();
    window.__all = [...document.querySelectorAll(found)].filter(open);
    window.__stops = new Set();
    window.__unseen = [];
    document.activeElement?.blur();
    window.scrollTo(0, 0);
})()
"""
FOCUS = """
(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return false;
    const lined = (style) => style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
    const seen = [at, at.firstElementChild].filter(Boolean).map((each) => getComputedStyle(each))
        .some((style) => style.boxShadow !== 'none' || lined(style));
    if (!seen) window.__unseen.push(at.outerHTML.slice(0, 140));
    const again = window.__stops.has(at);
    window.__stops.add(at);
    return again;
})()
"""
MISSED = """
window.__all.filter((each) => each.isConnected && each.checkVisibility() && !each.disabled)
    .filter((each) => !window.__stops.has(each))
    .map((each) => `not reached: ${each.outerHTML.slice(0, 140)}`)
    .concat(window.__unseen.map((each) => `no focus is seen: ${each}`))
"""
MOST_STOPS = 400
MOMENT = 20.0
WIDE = """
(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const kept = (each) => each.closest('.scroll, .pages, [class*=scroll]');
    return [...document.querySelectorAll('body *')]
        .filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1 && !kept(each))
        .map((each) => each.outerHTML.slice(0, 140)).concat(`${root.scrollWidth} px`);
})()
"""


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
    """Elements that make the page scroll sideways, once charts had a moment to be redrawn."""
    deadline = time.monotonic() + MOMENT
    while (found := browser.run(WIDE)) and time.monotonic() < deadline:
        time.sleep(0.02)
    told: list[str] = found
    return told


def missed_by_keys(browser: Browser) -> list[str]:
    """What the Tab key does not get to on its way around the page, and where it is not seen to be."""
    browser.run(BEGIN)
    for _ in range(MOST_STOPS):
        browser.press("Tab")
        if browser.run(FOCUS):
            break
    found: list[str] = browser.run(MISSED)
    return found
