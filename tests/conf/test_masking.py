"""Secrets of a config are marked before it is shown, and put back where they belong."""

from conf.masking import hide, mask, put_back

TEXT = """\
mqtts:
- name: b1
  broker: "tcp://u:pässw@127.0.0.1:1883"
  password: 'geheim'  # an old one
- {name: b2, broker: "mqtts://u:${env:P}@x", password: 1234, username: geheim2}
secrets:
  KEY: |
    line 1
    line 2

  # from the environment
  E: ${env:X}${file:y}
  F: {value: "abc", functions: [a]}
traces: {headers: {authorization: "Bearer 77"}}
"""
LITERALS = ("pässw", "geheim'", "1234", "line 1", "line 2", "abc", "Bearer")


def test_no_secret_is_left_and_references_stay() -> None:
    masked = mask(TEXT)
    for text in (masked.text, hide(TEXT)):
        assert not [literal for literal in LITERALS if literal in text]
        assert "E: ${env:X}${file:y}" in text
        assert "mqtts://u:${env:P}@x" in text
        assert "geheim2" in text
    assert 'broker: "tcp://u:${kept:1}@127.0.0.1:1883"' in masked.text
    assert 'password: "${kept:2}"  # an old one' in masked.text


def test_what_comes_back_unchanged_is_the_same_byte_for_byte() -> None:
    masked = mask(TEXT)
    assert put_back(masked.text, masked.kept) == TEXT


def test_a_secret_may_move_with_its_mark_but_not_to_where_it_would_be_seen() -> None:
    masked = mask(TEXT)
    moved = put_back('mqtts: [{name: "${kept:2}", password: "${kept:4}"}]', masked.kept)
    assert moved == 'mqtts: [{name: "${kept:2}", password: "line 1\\u000aline 2\\u000a"}]'
    assert put_back('secrets: {A: "${kept:99}", B: "x${kept:2}"}', masked.kept).count("${kept") == 2
