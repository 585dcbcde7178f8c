"""Connections to brokers and what came and went over them, as metrics; never by topic or device."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import Metric

from host.observing.metrics.families import Labels, Values, counter, gauge, labels_of
from triggers.mqtt.broker import RECEIVE_MAXIMUM
from triggers.mqtt.states import ConnectionState

COUNTED = {
    "received": ("messages_received", "Messages that came for a rule."),
    "answered": ("events_answered", "Events whose results were confirmed or are on disk."),
    "failed": ("events_failed", "Events that became dead letters, those refused included."),
    "dropped": ("events_dropped", "Events of QoS 0 dropped because too many waited."),
    "ignored": (
        "messages_ignored",
        "Retained messages, and those of an earlier subscription.",
    ),
    "unmatched": ("events_unmatched", "Events in which no device of any function was found."),
    "sealed": ("events_sealed", "Events that say they are encrypted or compressed."),
    "repeated": ("duplicates_known", "Events that came again and were known."),
    "expired": ("events_expired", "Events older than the rule's `max_age`."),
    "superseded": ("events_conflated", "Events that gave way to a newer one of their device."),
    "sessions_lost": ("sessions_lost", "Sessions that the broker has lost, with what waited in them."),
    "refused_unkept": ("refusals_unkept", "Events refused without a dead letter."),
}
"""Fields of a rule's counters, with the name of the metric and what it says."""
REFUSALS = ("name", "claim", "value", "rate", "size")

Rows = list[tuple[Labels, ConnectionState]]


class MqttMetrics:
    """`state` has all connections, as they are when it is called."""

    def __init__(self, state: Callable[[], Iterable[ConnectionState]]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """All families of connections."""
        rows = [(_labels(each), each) for each in self._state()]
        yield gauge(
            "fnhost_mqtt_connected",
            "1 while the broker is there and, for a rule, has granted its subscription.",
            ((labels, int(each.connected)) for labels, each in rows),
        )
        yield counter(
            "fnhost_mqtt_reconnects",
            "Connections that were lost.",
            ((labels, each.reconnects) for labels, each in rows),
        )
        yield from _rules([row for row in rows if row[1].rule is not None])
        yield from _targets([row for row in rows if row[1].rule is None])


def _labels(state: ConnectionState) -> Labels:
    return labels_of(broker=state.broker, client=state.client_id, rule=state.rule or "")


def _rules(rows: Rows) -> Iterator[Metric]:
    for field, (name, says) in COUNTED.items():
        values = [(labels, getattr(each, field)) for labels, each in rows]
        yield counter(f"fnhost_mqtt_{name}", says, values)
    yield counter(
        "fnhost_mqtt_refusals", "Events that their device may not send, by the reason.", _refusals(rows)
    )
    yield gauge(
        "fnhost_mqtt_window_messages",
        "Messages that are not acknowledged to their broker.",
        ((labels, each.unacknowledged) for labels, each in rows),
    )
    yield gauge(
        "fnhost_mqtt_window_limit_messages",
        "Messages that may be unacknowledged.",
        ((labels, RECEIVE_MAXIMUM) for labels, _ in rows),
    )
    yield gauge(
        "fnhost_mqtt_window_oldest_seconds",
        "How long the first unacknowledged message has been here.",
        ((labels, each.oldest) for labels, each in rows),
    )


def _refusals(rows: Rows) -> Values:
    for labels, state in rows:
        for reason in REFUSALS:
            yield labels_of(**labels, reason=reason), getattr(state, f"refused_{reason}")


def _targets(rows: Rows) -> Iterator[Metric]:
    yield counter(
        "fnhost_mqtt_messages_published",
        "Results that a broker has confirmed.",
        ((labels, each.published) for labels, each in rows),
    )
    yield gauge(
        "fnhost_outbox_results",
        "Results that no broker has confirmed yet, on disk or not.",
        ((labels, each.waiting) for labels, each in rows),
    )
    yield gauge(
        "fnhost_outbox_stored_results",
        "Those of them that are on disk only, roughly.",
        ((labels, each.stored) for labels, each in rows),
    )
    yield gauge(
        "fnhost_outbox_oldest_seconds",
        "How long the oldest result has been waiting for its broker.",
        ((labels, each.oldest) for labels, each in rows),
    )
