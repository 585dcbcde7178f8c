"""Hosts, and ports of hosts, that the config lists."""

import pytest

from conf.places import check_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("Gateway:080", "gateway:80"),
        ("[::1]", "[::1]"),
        ("[::1]:9000", "[::1]:9000"),
    ],
)
def test_a_place_has_one_spelling(text: str, place: str) -> None:
    assert check_place(text) == place


@pytest.mark.parametrize(
    "text", ["", ":80", "a:", "a:0", "a:99999", "::1", "http://a", "a/b", "me@a", "a?b", "[::1"]
)
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST or HOST:PORT"):
        check_place(text)
