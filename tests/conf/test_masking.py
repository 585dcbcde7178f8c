"""Secrets of a config are marked before it is shown, and put back where they belong."""

import pytest

from conf.faults import Fault
from conf.masking import blot, hide, mask, put_back

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


@pytest.mark.parametrize(
    "text",
    [
        "mqtts: [{password: [geheim]}]\n",
        "mqtts: [{password: {a: geheim, functions: geheim}}]\n",
        "passwort: geheim\n",
        "funcs: [{env: {API_KEY: geheim}}]\n",
        "secrets: [geheim]\n",
        "secrets: {A: {valeu: geheim, functions: [a]}}\n",
        'mqtts: [{broker: "tcp://u:geheim/@h@127.0.0.1:1"}]\n',
        'mqtts: [{broker: "tcp://u:a@geheim@127.0.0.1:1"}]\n',
        "mqtts:\n- {password: &p geheim}\n- {password: *p}\n",
        "mqtts: [{password: !!str geheim}]\n",
    ],
)
def test_secrets_in_odd_places_are_masked_and_come_back_as_they_were(text: str) -> None:
    masked = mask(text)
    assert "geheim" not in masked.text
    assert put_back(masked.text, masked.kept) == text


def test_a_password_of_a_url_goes_back_into_the_same_place_only_and_faults_do_not_tell_it() -> None:
    masked = mask("mqtts: [{broker: 'tcp://u:geheim@h'}]\nrules: [{name: a}]\n")
    told = "rules: [{name: 'a://u:${kept:1}@h', password: '${kept:1}'}]\n"
    assert put_back(told, masked.kept) == told
    moved = put_back("mqtts: [{name: b}, {broker: 'tcp://v:${kept:1}@h'}]\n", masked.kept)
    assert "tcp://v:geheim@h" in moved
    (fault,) = blot((Fault("mqtts[0].broker", "'tcp://u:geheim@h' is none", "not geheim"),), masked.kept)
    assert (fault.message, fault.hint) == ("'tcp://u:***@h' is none", "not ***")
