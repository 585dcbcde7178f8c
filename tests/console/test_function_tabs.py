"""The page of one function and its tabs."""

from urllib.parse import quote

import httpx

from tests.hosts import RunningHost

SEEN = {"index.py": "def index(event, context):\n    return {'hot': event['t'] > 100}\n"}
TABS = ("try", "live", "metrics", "logs", "revisions", "why", "environment")


def read(host: RunningHost, path: str) -> httpx.Response:
    """A page as a caller with the local token has it."""
    return httpx.get(host.url + path, headers={"authorization": f"Bearer {host.local_token()}"})


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
    assert read(shared_host, "/console/functions/nobody").status_code == 404
