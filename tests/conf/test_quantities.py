"""Durations, sizes and counts as people read them."""

import pytest

from conf.quantities import say_count, say_duration, say_size, write_duration


@pytest.mark.parametrize(
    ("seconds", "written", "said"),
    [
        (0, "0s", "0 seconds"),
        (0.1, "100ms", "100 milliseconds"),
        (1.5, "1500ms", "1500 milliseconds"),
        (90, "90s", "90 seconds"),
        (300.0, "5m", "5 minutes"),
        (3600, "1h", "1 hour"),
        (36 * 3600, "36h", "36 hours"),
        (30 * 86400.0, "30d", "30 days"),
        (0.0005, "0.0005s", "0.0005 seconds"),
    ],
)
def test_a_duration_is_told_in_the_largest_unit_that_fits(seconds: float, written: str, said: str) -> None:
    assert (write_duration(seconds), say_duration(seconds)) == (written, said)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (838860, "819.2 KiB"),
        (2**20 - 1, "1 MiB"),
        (64 * 2**20, "64 MiB"),
        (2**40, "1 TiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_a_size_is_told_in_a_unit_that_fits(count: int, said: str) -> None:
    assert say_size(count) == said


def test_one_thing_is_not_several() -> None:
    assert (say_count(1, "moment"), say_count(100_000, "moment")) == ("1 moment", "100,000 moments")
