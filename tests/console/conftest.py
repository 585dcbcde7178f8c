"""Fixtures of the console's tests: a browser that is signed in."""

from collections.abc import Iterator

import pytest

from tests.browser import Browser, browsing
from tests.console.console import sign_in
from tests.hosts import RunningHost


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the tests of a file; each begins with a page of its own."""
    with browsing(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def console(shared_host: RunningHost, browser: Browser) -> Browser:
    """A browser that is signed in as whoever may do everything, and that has complained of nothing."""
    sign_in(browser, shared_host)
    browser.complaints.clear()
    return browser
