"""Secrets are blotted out of texts, however they are written there."""

import json

import pytest

from runtime.worker.masks import Secrets, keep_nothing, make_byte_keep, make_keep, make_mask

KEY = '-----BEGIN KEY-----\nAbCd/efgh"ij\\kl\nlast é line\n'


@pytest.mark.parametrize("text", [KEY, repr(KEY), json.dumps(KEY), json.dumps(KEY, ensure_ascii=False)])
def test_a_secret_is_blotted_out_also_as_python_and_json_write_it(text: str) -> None:
    assert make_mask([KEY])(f"got <{text}>").strip("\"'") in ("got <***>", "got <'***'>", 'got <"***">')


def test_each_line_of_a_secret_is_blotted_out_and_the_longest_secret_first() -> None:
    mask = make_mask([KEY, "secret", "secret-and-more"])
    assert mask('x AbCd/efgh"ij\\kl y') == "x *** y"
    assert mask("secret-and-more, secret") == "***, ***"


def test_a_secret_of_six_characters_is_blotted_out_and_a_shorter_one_is_not() -> None:
    assert make_mask(["123456"])("123456") == "***"
    assert make_mask(["12345"])("12345") == "12345"
    assert make_mask([]) is str


def test_printing_all_secrets_prints_names_and_a_wrong_name_is_told_with_the_remedy() -> None:
    secrets = Secrets({"DB": "p4ssw0rd"})
    assert (str(secrets), secrets["DB"]) == ("<secrets DB>", "p4ssw0rd")
    with pytest.raises(KeyError, match="KEY is no secret of this function; list it"):
        secrets["KEY"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x secret-and-mo", 13),
        ("x secret", 6),
        ("x s", 1),
        ("x secret-and-more", 0),
        ("no", 0),
        ("", 0),
        ("abcabc", 6),  # whole, and it looks like the first half of another one
        ("xabcabcabc", 3),
    ],
)
def test_what_a_secret_may_begin_with_stays_back_when_a_text_is_cut(text: str, kept: int) -> None:
    assert make_keep(["secret-and-more", "abcabc"])(text) == kept


def test_bytes_may_be_cut_within_a_character() -> None:
    secret = "ééééééé"
    keep = make_byte_keep([secret])
    assert keep(b"x" + secret.encode()[:5]) == 5
    assert make_keep([]) is keep_nothing and make_byte_keep([])(b"x") == 0
