"""How long events of a vectorised model wait for company."""

import pytest

from runtime.dispatch.gathering import Gathering
from runtime.spec import BatchRule

RULE = BatchRule(max_size=64, max_wait=0.008)


def test_one_caller_alone_is_not_kept_waiting() -> None:
    gathering = Gathering(RULE)
    for number in range(20):
        now = number * 0.001
        gathering.arrived(now)
        assert gathering.pause(waiting=1, share=1, oldest=now, now=now) == 0.0
        gathering.sent(1)


def test_callers_that_were_seen_together_are_waited_for() -> None:
    gathering = Gathering(RULE)
    gathering.sent(40)
    gathering.arrived(1.0)
    assert gathering.pause(1, 1, 1.0, 1.0) > 0
    gathering.arrived(1.001)
    assert gathering.pause(39, 1, 1.0, 1.001) > 0
    assert gathering.pause(40, 1, 1.0, 1.001) == 0.0


def test_waiting_ends_when_no_more_come_and_at_the_latest_after_max_wait() -> None:
    gathering = Gathering(RULE)
    gathering.sent(40)
    gathering.arrived(1.0)
    quiet = gathering.pause(10, 1, 1.0, 1.0)
    assert quiet == pytest.approx(0.002)
    assert gathering.pause(10, 1, 1.0, 1.0021) == 0.0
    gathering.arrived(1.0079)
    assert 0 < gathering.pause(20, 1, 1.0, 1.0079) < 0.0002


def test_a_full_batch_goes_at_once() -> None:
    gathering = Gathering(RULE)
    gathering.sent(1000)
    gathering.arrived(1.0)
    assert gathering.pause(64, 1, 1.0, 1.0) == 0.0
    assert gathering.pause(64, 2, 1.0, 1.0) > 0


def test_callers_that_have_gone_are_forgotten() -> None:
    gathering = Gathering(RULE)
    gathering.sent(40)
    for _ in range(60):
        gathering.sent(1)
    gathering.arrived(1.0)
    assert gathering.pause(1, 1, 1.0, 1.0) == 0.0
