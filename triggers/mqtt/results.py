"""What of an answer is published, and where to."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from conf.topics import is_publishable, matches
from runtime.events import Answer, InvocationError, Publication
from triggers.delivery.work import Reply, Work
from triggers.mqtt.messages import Outgoing, Told
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.properties import pack
from triggers.mqtt.publisher import Publisher
from triggers.trace_context import trace_of

# The older program published neither a null nor these two strings; an empty dict it did.
NOTHING = frozenset((b"null", b'"null"', b'"{}"'))


class BadTopicError(InvocationError):
    """The function asked to publish to what is no topic name."""


def is_published(answer: Answer) -> bool:
    """Whether the function's result is one that goes out."""
    if answer.body is None:
        return False
    return not (answer.body in NOTHING and answer.content_type.startswith("application/json"))


@dataclass(frozen=True)
class Outlet:
    """Where the results of the rule or timer `name` go: to `topic` through `target`, of `broker`.

    `timeout` is in seconds from sending to confirmation. A rule has a `source`, its topic filter, and `reply`
    gives the publisher to the broker that its events come from. `errors` tells `error_topic` of failures.
    """

    name: str
    topic: str
    timeout: float
    broker: BrokerPlan
    target: Publisher
    source: str = ""
    reply: Callable[[], Publisher] | None = None
    errors: Publisher | None = None
    error_topic: str = ""

    def results(self, function: str, work: Work, answer: Answer) -> list[tuple[Publisher, Outgoing]]:
        """The messages to publish, and through which connection; raises BadTopicError before any is sent."""
        whose = function, work
        out = [(self.target, self._publication(asked, whose, answer)) for asked in answer.publications]
        if is_published(answer):
            out.append(self._result(function, work, answer))
        return out

    def error(self, function: str, work: Work, error: BaseException) -> tuple[Publisher, Outgoing] | None:
        """What to publish of an event that got no answer, and through which connection, if wanted."""
        if self.errors is None:
            return None
        told = {
            "function": function,
            "errorType": getattr(error, "error_type", type(error).__name__.removesuffix("Error")),
            "errorMessage": getattr(error, "message", str(error)),
            "requestId": work.event.id,
            "topic": topic_of(work),
        }
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        outgoing = self._message(self.error_topic, body, (self.broker.qos, False), (function, work))
        outgoing.properties = pack("application/json", _user(function, work, error), work.reply.correlation)
        return self.errors, outgoing

    def _publication(self, asked: Publication, whose: "Whose", answer: Answer) -> Outgoing:
        if not is_publishable(asked.topic):
            raise BadTopicError(f"the function published to {asked.topic!r}, which is no topic name")
        outgoing = self._message(asked.topic, asked.payload, (asked.qos, asked.retain), whose)
        outgoing.properties = pack("", _user(*whose, answer), None)
        return outgoing

    def _result(self, function: str, work: Work, answer: Answer) -> tuple[Publisher, Outgoing]:
        properties = pack(answer.content_type, _user(function, work, answer), work.reply.correlation)
        if self.reply is not None and self._wants_reply(work.reply):
            # A request waits for this answer; the next client to subscribe there does not.
            publisher, topic, retain = self.reply(), work.reply.topic or "", False
        else:
            publisher, topic, retain = self.target, self.topic, self.broker.retain
        outgoing = self._message(topic, answer.body or b"", (self.broker.qos, retain), (function, work))
        outgoing.properties = properties
        return publisher, outgoing

    def _message(self, topic: str, payload: bytes, flags: tuple[int, bool], whose: "Whose") -> Outgoing:
        function, work = whose
        told = Told(self.name, function, work.event.id)
        return Outgoing(topic, payload, *flags, told, timeout=self.timeout, sure=work.sure)

    def _wants_reply(self, reply: Reply) -> bool:
        topic = reply.topic
        # Any device may name a response topic; the rule's own source would feed the answer back to it.
        return topic is not None and is_publishable(topic) and not matches(self.source, topic)


Whose = tuple[str, Work]


def topic_of(work: Work) -> str:
    """The topic that the event came on, or "" for one that came otherwise."""
    meta = work.event.meta
    return str(meta.get("topic", "")) if isinstance(meta, dict) else ""


def _user(function: str, work: Work, outcome: object) -> tuple[tuple[str, str], ...]:
    """The user properties of all that comes of an event."""
    whose = (("function", function), ("request-id", work.event.id))
    return (*whose, *_provenance(outcome), *trace_of(work.event).items())


def _provenance(outcome: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(outcome, Answer | InvocationError) or not outcome.revision:
        return ()
    return (
        ("revision", outcome.revision),
        ("digest", f"sha256:{outcome.digest}"),
        ("queue-ms", f"{outcome.queued * 1000:.3f}"),
        ("run-ms", f"{(outcome.seconds or 0.0) * 1000:.3f}"),
    )
