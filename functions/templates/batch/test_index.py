"""Tests of the function by itself: `pytest` in this folder, without a host."""

from index import index_batch


def test_each_event_has_a_result_of_its_own():
    events = [{"t": 188, "h": 134}, {"t": 0, "h": 1}]
    assert index_batch(events, None) == [{"score": 510.0}, {"score": 1.0}]
