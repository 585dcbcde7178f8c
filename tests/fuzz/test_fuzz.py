"""A few cases for each target, the same in each run; and by name what was found once."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from runtime.answers import MalformedAnswerError, read_answer
from runtime.boot import read_boot_error
from tests.fuzz.arbiters import BOOTED, check_messages
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is wrong with a case is no news."""
    logger = logging.getLogger("runtime")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_that_is_generated_does_harm(target: Target) -> None:
    settings(
        max_examples=target.few,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )(given(target.cases)(target.check))()


def test_half_a_character_in_the_reason_for_a_refused_fork_is_shown_as_an_escape() -> None:
    check_messages([BOOTED, b'{"op":"refused","slot":1,"reason":"\\ud800"}'])


def test_a_status_that_no_process_can_have_is_cut_to_one_that_it_can() -> None:
    check_messages([BOOTED, b'{"op":"exited","slot":1,"status":1e300}'])


def _nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def test_what_an_instance_says_is_refused_where_it_is_nested_too_deep_to_be_read() -> None:
    head = {"n": 1, "k": "raised", "error": {"type": _nested(5000), "message": "", "stack": []}}
    with pytest.raises(MalformedAnswerError):
        read_answer(head, b"", "f@1", str)


def test_why_an_instance_did_not_start_is_told_however_deep_it_is_nested() -> None:
    assert "nested too deep" in str(read_boot_error({"message": _nested(5000)}, str))
