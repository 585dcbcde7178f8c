"""Tests of the function by itself: `pytest` in this folder, without a host."""

from index import index


def test_a_high_temperature_is_hot():
    assert index({"t": 188}, None) == {"hot": True}


def test_a_mild_temperature_is_not():
    assert index({"t": 21}, None) == {"hot": False}
