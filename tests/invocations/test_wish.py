"""What a request's head asks for."""

import pytest

from triggers.invocations.wish import CallbackRefusedError, Wish, check_callback, read_wish

Headers = tuple[tuple[bytes, bytes], ...]

LATER = Wish(preferred=False, callback="")
PREFERRED = Wish(preferred=True, callback="")


@pytest.mark.parametrize(
    ("headers", "wish"),
    [
        ((), None),
        (((b"x-invocation-type", b"sync"),), None),
        (((b"x-invocation-type", b" Async "),), LATER),
        (((b"prefer", b"respond-async"),), PREFERRED),
        (((b"prefer", b'return=minimal, Respond-Async; x="1", wait=10'),), PREFERRED),
        (((b"prefer", b"respond-async"), (b"prefer", b"wait=10")), PREFERRED),
        (((b"prefer", b"wait=10"),), None),
        (((b"x-callback-url", b"http://a/"),), None),
    ],
)
def test_a_caller_says_that_it_does_not_wait_in_one_of_two_ways(headers: Headers, wish: Wish | None) -> None:
    assert read_wish(headers) == wish


def test_a_callback_goes_with_the_wish() -> None:
    headers = ((b"x-invocation-type", b"async"), (b"x-callback-url", b"http://gateway:8080/done?line=7"))
    wish = read_wish(headers)
    assert wish == Wish(preferred=False, callback="http://gateway:8080/done?line=7")
    check_callback(wish.callback)


@pytest.mark.parametrize("url", ["", "http://gateway:9/", "https://[fd00::7]/x", "http://10.0.0.7/a?b=%20"])
def test_results_can_be_posted_to_any_other_machine_also_in_a_private_network(url: str) -> None:
    check_callback(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a/b", "is not an http or https address"),
        ("/done", "is not an http or https address"),
        ("http://", "is not an http or https address"),
        ("http://a:0/", "is not an http or https address"),
        ("http://a:99999/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://a/b c", "has characters that a URL spells as %XX"),
        ("http://a/温度", "has characters that a URL spells as %XX"),
        ("http://a/" + "b" * 2048, "is longer than 2048 characters"),
        ("http://me:secret@a/", "holds a user or password"),
    ],
)
def test_what_is_no_such_address_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(CallbackRefusedError, match=why) as told:
        check_callback(url)
    assert "secret" not in str(told.value)


NEAR = [
    *(
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "a.LOCALHOST.",
    ),
    *("0.0.0.0", "[::]", "169.254.169.254", "[fe80::1]", "[::ffff:169.254.1.1]", "224.0.0.1", "[ff02::1]"),
]


@pytest.mark.parametrize("host", NEAR)
def test_this_machine_and_its_link_are_refused_with_the_remedy(host: str) -> None:
    with pytest.raises(CallbackRefusedError, match=r'callback_hosts: \["\S+:5888"\]'):
        check_callback(f"http://{host}:5888/api/functions", frozenset({"127.0.0.1:9000", "example"}))


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("http://127.0.0.1:9000/", "127.0.0.1"),
        ("http://127.0.0.1:9000/", "127.0.0.1:9000"),
        ("http://LocalHost/", "localhost:80"),
        ("https://[::1]/", "[::1]:443"),
    ],
)
def test_what_the_config_lists_is_allowed(url: str, listed: str) -> None:
    check_callback(url, frozenset({listed}))
