"""Topics match filters by the rules of MQTT 5, section 4.7, whose own examples these are."""

import pytest

from runtime.worker.context import topic_matches


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("sport/#", "sport"),
        ("#", "a/b"),
        ("#", "/"),
        ("sport/tennis/+", "sport/tennis/player2"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("+/tennis/#", "sport/tennis/player1"),
        ("$SYS/#", "$SYS/monitor/clients"),
        ("$SYS/monitor/+", "$SYS/monitor/Clients"),
        ("in/温度", "in/温度"),
        ("/in", "/in"),
    ],
)
def test_a_filter_takes_the_topic(pattern: str, topic: str) -> None:
    assert topic_matches(pattern, topic)


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("+", "a/b"),
        ("#", "$SYS/monitor"),
        ("+/monitor/Clients", "$SYS/monitor/Clients"),
        ("in", "IN"),
        ("/in", "in"),
        ("in", "in/"),
        ("a/b", "a"),
    ],
)
def test_a_filter_does_not_take_the_topic(pattern: str, topic: str) -> None:
    assert not topic_matches(pattern, topic)
