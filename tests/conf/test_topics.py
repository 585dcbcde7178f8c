"""Topics and filters, with the examples of the MQTT standard's section 4.7."""

import pytest

from conf.topics import check_filter, check_topic, matches


@pytest.mark.parametrize("text", ["#", "+", "a/#", "+/b/#", "/in/t", "工厂/+/温度", "$share/g/a/#", "a//b"])
def test_a_valid_filter_is_taken(text: str) -> None:
    assert check_filter(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/#/b",
        "a#",
        "a/b+",
        "+a",
        "a\0",
        "$share/g",
        "$share//a",
        "$share/g/",
        "$share/+/a",
        "x" * 65_536,
    ],
)
def test_an_invalid_filter_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        check_filter(text)


@pytest.mark.parametrize("text", ["", "a/+", "#", "a\0b"])
def test_one_cannot_publish_to_a_wildcard(text: str) -> None:
    with pytest.raises(ValueError):
        check_topic(text)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "taken"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sports", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/broker", False),
        ("$SYS/#", "$SYS/broker", True),
        ("$share/g/a/+", "a/b", True),
        ("a", "A", False),
    ],
)
def test_a_filter_takes_what_the_standard_says(topic_filter: str, topic: str, taken: bool) -> None:
    assert matches(topic_filter, topic) is taken
