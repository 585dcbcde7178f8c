"""Durations and sizes."""

import pytest
from pydantic import TypeAdapter

from conf.units import Duration, Size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("5m", 300),
        ("1h", 3600),
        ("2d", 172_800),
        ("1.5 s", 1.5),
        ("7", 7),
        (7, 7),
        (0.2, 0.2),
    ],
)
def test_a_duration_is_read_as_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MiB", 536_870_912), ("10MB", 10_000_000), ("1GiB", 2**30), ("1.5KiB", 1536), ("12", 12), (12, 12)],
)
def test_a_size_is_read_as_bytes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "s", "-1s", "10 sec", "1h30m", "1e3", "nan", "１s", "5S"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="10s, 5m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["512 mib", "1.5B", "10Mb", "-1", "x", "0.0001KiB"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="512MiB"):
        parse_size(text)


@pytest.mark.parametrize("value", [True, None, [], -1, float("inf"), float("nan")])
def test_a_value_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="10s"):
        TypeAdapter[float](Duration).validate_python(value)


def test_the_schema_documents_both() -> None:
    assert "10s" in TypeAdapter(Duration).json_schema()["description"]
    assert "512MiB" in TypeAdapter(Size).json_schema()["description"]
