"""Zips are fetched from a real server that misbehaves: whole and checked, or not at all."""

import asyncio
import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions import download
from functions.digests import read_digests
from functions.download import fetch
from functions.fetch_order import FetchError, FetchOrder
from tests.files_server import FilesServer, Served, files_server

CONTENT = b"PK" + bytes(range(256)) * 2000


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.fixture
def server() -> Iterator[FilesServer]:
    with files_server() as running:
        yield running


@pytest.fixture
def zipped(server: FilesServer) -> Served:
    """The file that most tests fetch."""
    return server.add("/x.zip", CONTENT)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_PAUSE", 0.01)


@pytest.fixture
def order(server: FilesServer, tmp_path: Path) -> FetchOrder:
    return FetchOrder(f"{server.url}/x.zip", tmp_path / "d" / "x.zip", md5_of(CONTENT))


def had(order: FetchOrder) -> list[str]:
    """Fetch it and see that it is right and alone there; returns what was said."""
    said: list[str] = []
    assert asyncio.run(fetch(order, said.append)) == order.target
    assert order.target.read_bytes() == CONTENT
    assert [path.name for path in order.target.parent.iterdir()] == [order.target.name]
    return said


def refusal(order: FetchOrder) -> FetchError:
    with pytest.raises(FetchError) as caught:
        asyncio.run(fetch(order, lambda line: None))
    assert not order.target.exists()
    assert "\n" not in str(caught.value)
    return caught.value


def give_up_at_once(order: FetchOrder) -> None:
    """Let the first attempt be the last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download, "ATTEMPTS", 1)
        assert refusal(order).retryable


def changed(order: FetchOrder, **changes: object) -> FetchOrder:
    return FetchOrder(**{**vars(order), **changes})


def test_a_zip_is_fetched_whole_and_nothing_else_is_left(order: FetchOrder, zipped: Served) -> None:
    assert had(order) == []
    assert zipped.asked[0]["accept-encoding"] == "identity"


def test_a_file_with_fitting_digests_is_not_fetched_again(order: FetchOrder, zipped: Served) -> None:
    had(order)
    had(changed(order, sha256=hashlib.sha256(CONTENT).hexdigest()))
    assert len(zipped.asked) == 1


def test_a_file_that_has_become_another_is_fetched_again(order: FetchOrder, zipped: Served) -> None:
    had(order)
    order.target.write_bytes(b"bit rot")
    had(order)
    assert len(zipped.asked) == 2


def test_without_a_digest_the_file_is_fetched_each_time(order: FetchOrder, zipped: Served) -> None:
    for _ in range(2):
        had(changed(order, md5=None))
    assert len(zipped.asked) == 2


def test_an_answer_that_breaks_off_is_gone_on_with(order: FetchOrder, zipped: Served) -> None:
    zipped.cut_after, zipped.cuts = 100_000, 3
    said = had(order)
    assert [asked.get("range") for asked in zipped.asked] == [
        None,
        *(f"bytes={number}-" for number in (100_000, 200_000, 300_000)),
    ]
    assert {asked.get("if-range") for asked in zipped.asked[1:]} == {zipped.etag}
    assert len(said) == 3 and "trying again" in said[0] and order.url in said[0]


def test_more_cuts_than_attempts_do_no_harm_while_bytes_come(order: FetchOrder, zipped: Served) -> None:
    zipped.cut_after, zipped.cuts = 50_000, 2 * download.ATTEMPTS
    assert len(had(order)) == 2 * download.ATTEMPTS


@pytest.mark.parametrize("lack", [{"ranges": False}, {"tag": False}])
def test_a_server_that_cannot_go_on_begins_anew(
    order: FetchOrder, server: FilesServer, lack: dict[str, bool]
) -> None:
    served = server.add("/x.zip", CONTENT, cut_after=1000, cuts=1, **lack)
    had(order)
    assert len(served.asked) == 2


def test_a_file_that_was_replaced_in_between_is_not_mixed_with_the_old(
    order: FetchOrder, zipped: Served
) -> None:
    zipped.content, zipped.cut_after, zipped.cuts = b"old" * 1000, 500, 100
    give_up_at_once(order)
    zipped.content, zipped.cuts = CONTENT, 0
    had(order)


def test_the_next_call_goes_on_where_the_last_one_gave_up(order: FetchOrder, zipped: Served) -> None:
    zipped.cut_after, zipped.cuts = 400_000, 1
    give_up_at_once(order)
    had(order)
    assert zipped.asked[-1]["range"] == "bytes=400000-"


def test_a_part_longer_than_the_file_is_thrown_away(order: FetchOrder, zipped: Served) -> None:
    zipped.cut_after, zipped.cuts = 1000, 1
    give_up_at_once(order)
    part = order.target.with_name("x.zip.part")
    part.write_bytes(CONTENT)
    had(order)


def test_a_damaged_part_costs_only_a_new_attempt(order: FetchOrder, zipped: Served) -> None:
    zipped.cut_after, zipped.cuts = 1000, 1
    give_up_at_once(order)
    order.target.with_name("x.zip.part").write_bytes(b"\0" * 1000)
    said = had(order)
    assert len(said) == 1 and "another file" in said[0]


def test_a_wrong_digest_is_told_with_both_and_nothing_is_published(order: FetchOrder, zipped: Served) -> None:
    zipped.content = b"another"
    refused = refusal(order)
    assert not refused.retryable
    assert all(part in str(refused) for part in (order.url, md5_of(CONTENT), md5_of(b"another"), "correct"))


def test_a_wrong_file_is_not_fetched_a_second_time_until_it_changes(
    order: FetchOrder, zipped: Served
) -> None:
    zipped.content = b"another"
    refusal(order)
    assert "still has the file" in str(refusal(order))
    assert zipped.asked[-1]["if-none-match"] == zipped.etag
    zipped.content = CONTENT
    had(order)


def test_a_corrected_digest_takes_the_file_that_was_refused(order: FetchOrder, zipped: Served) -> None:
    refusal(changed(order, md5=md5_of(b"typo")))
    had(order)


def test_a_sha256_is_checked_beside_the_md5(order: FetchOrder, zipped: Served) -> None:
    assert "sha256" in str(refusal(changed(order, sha256="0" * 64)))
    had(changed(order, sha256=hashlib.sha256(CONTENT).hexdigest().upper()))


def test_a_short_body_of_a_server_that_tells_no_length_is_fetched_again(
    order: FetchOrder, zipped: Served
) -> None:
    zipped.length, zipped.cut_after, zipped.cuts = False, 1000, 1
    assert "another file" in had(order)[0]


@pytest.mark.parametrize(
    "md5",
    ["", "x", "pZ4DJ+YhYM9ppHD+VhLi+A=", "pZ4DJ+YhYM9ppHD+VhLi+A", "pZ4DJ+YhYM9ppHD+VhLi+B==",
     " pZ4DJ+YhYM9ppHD+VhLi+A==", "pZ4DJ-YhYM9ppHD-VhLi-A==", "a59e0327e62160cf69a470fe5612e2f8", "模型"],
)  # fmt: skip
def test_a_malformed_md5_is_refused_before_anything_is_fetched(
    order: FetchOrder, zipped: Served, md5: str
) -> None:
    refused = refusal(changed(order, md5=md5))
    assert not refused.retryable and repr(md5) in str(refused) and "base64" in str(refused)
    assert zipped.asked == []


def test_a_sha256_is_sixty_four_digits() -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        read_digests(None, "abc")


def test_an_address_that_is_there_a_moment_later_is_had(order: FetchOrder, zipped: Served) -> None:
    zipped.statuses = [404, 503]
    said = had(order)
    assert "HTTP 404" in said[0] and "HTTP 503" in said[1]


@pytest.mark.parametrize(("status", "retryable"), [(404, True), (500, True), (403, False), (410, False)])
def test_an_answer_that_is_no_file_is_told_by_its_status(
    order: FetchOrder, zipped: Served, status: int, retryable: bool
) -> None:
    zipped.statuses = [status] * 100
    refused = refusal(order)
    assert refused.retryable == retryable and f"{order.url} answered with HTTP {status}" in str(refused)
    assert len(zipped.asked) == (download.ATTEMPTS if retryable else 1)


def test_redirects_are_followed_up_to_five(order: FetchOrder, server: FilesServer, zipped: Served) -> None:
    for number in range(1, 7):
        server.add(f"/{number}", redirect=f"/{number - 1}" if number > 1 else "/x.zip")
    had(changed(order, url=f"{server.url}/5"))
    order.target.unlink()
    assert "more than 5 times" in str(refusal(changed(order, url=f"{server.url}/6")))


def test_a_redirect_loop_ends(order: FetchOrder, zipped: Served) -> None:
    zipped.redirect = "/x.zip"
    assert not refusal(order).retryable
    assert len(zipped.asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x.zip"])
def test_a_redirect_leads_to_http_only(order: FetchOrder, zipped: Served, target: str) -> None:
    zipped.redirect = target
    refused = refusal(order)
    assert not refused.retryable and "neither http nor https" in str(refused)


@pytest.mark.parametrize("url", ["", "x.zip", "file:///x.zip", "ftp://h/x.zip", "http://", "http://[::1/x"])
def test_an_address_that_is_none_is_refused(order: FetchOrder, url: str) -> None:
    refused = refusal(changed(order, url=url))
    assert not refused.retryable and "http://" in str(refused)


def test_a_body_over_the_bound_is_refused_by_its_length(order: FetchOrder, zipped: Served) -> None:
    refused = refusal(changed(order, max_bytes=1000))
    assert not refused.retryable and "more than 1000 bytes" in str(refused)


def test_an_endless_body_ends_at_the_bound(order: FetchOrder, server: FilesServer) -> None:
    server.add("/x.zip", endless=True)
    assert "more than 1000000 bytes" in str(refusal(changed(order, max_bytes=1_000_000)))
    assert list(order.target.parent.iterdir()) == []


def test_a_server_that_says_nothing_more_is_left_at_the_time_limit(order: FetchOrder, zipped: Served) -> None:
    zipped.gate = threading.Event()
    refused = refusal(changed(order, time_limit=0.5))
    assert refused.retryable and "within 0.5 s" in str(refused)
    zipped.gate.set()


def test_nobody_at_the_address_is_told_with_the_cause(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x.zip"
    refused = refusal(FetchOrder(url, tmp_path / "x.zip"))
    assert refused.retryable and url in str(refused) and "check the network" in str(refused)


def test_secrets_in_an_address_are_not_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refused = refusal(FetchOrder(f"http://user:hush@127.0.0.1:{port}/x.zip?key=hush", tmp_path / "x.zip"))
    assert f"http://127.0.0.1:{port}/x.zip" in str(refused) and "hush" not in str(refused)


def test_a_disk_that_refuses_is_told(order: FetchOrder, zipped: Served) -> None:
    order.target.parent.write_text("a file where a folder should be")
    with pytest.raises(FetchError, match="cannot be stored"):
        asyncio.run(fetch(order, lambda line: None))
