"""How each dataclass of `rows` stands in its table, sealed; and how it is read back, checked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from triggers.store.rows import EventRow, Invocation, Letter, ResultRow
from triggers.store.sealing import check, pack_source, seal, unpack_source

Values = tuple[Any, ...]
R = TypeVar("R")

_encode_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Table(Generic[R]):
    """`encode` raises ValueError or TypeError for what cannot be written, `decode` DamagedRowError."""

    name: str
    key: str
    columns: tuple[str, ...]
    encode: Callable[[R], Values]
    decode: Callable[[Values], R]

    @property
    def select(self) -> str:
        """Reads whole rows; what follows is for the caller to add."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"  # noqa: S608 - constants

    @property
    def delete(self) -> str:
        """Deletes the rows of a JSON list of keys."""
        return f"DELETE FROM {self.name} WHERE {self.key} IN (SELECT value FROM json_each(?))"  # noqa: S608

    def insert(self, count: int) -> str:
        """Writes `count` rows; those with the same key are replaced."""
        marks = f"({', '.join('?' * len(self.columns))})"
        columns = ", ".join(self.columns)
        return f"INSERT OR REPLACE INTO {self.name} ({columns}) VALUES {', '.join([marks] * count)}"  # noqa: S608


def _text(text: str) -> str:
    """As it can be stored and read back: what UTF-8 cannot say becomes its escape."""
    if type(text) is str and text.isascii():
        return text
    return str.encode(text, "utf-8", "backslashreplace").decode()


def _real(number: float) -> float:
    # SQLite keeps no negative zero.
    return float(number) + 0.0


def _event_values(row: EventRow) -> Values:
    plain = (
        row.seq,
        _text(row.lane),
        _text(row.event_id),
        _encode_json(row.head),
        _text(row.key),
        int(row.attempts),
        _real(row.due),
    )
    body = bytes(row.body)
    return (*plain, pack_source(row.seq, row.source), body, seal("events", plain, (body,)))


def _event_of(values: Values) -> EventRow:
    *plain, source, body, found = values
    check("events", tuple(plain), (body,), found)
    seq, lane, event_id, head, key, attempts, due = plain
    known = unpack_source(seq, source)
    return EventRow(seq, lane, event_id, json.loads(head), body, key, attempts, due, known)


def _result_values(row: ResultRow) -> Values:
    plain = (
        row.seq,
        *map(_text, (row.target, row.event_id, row.rule, row.function, row.topic)),
        int(row.qos),
        int(row.retain),
        _real(row.created),
        _real(row.timeout),
        int(row.total),
        int(row.attempts),
    )
    blobs = (bytes(row.properties), bytes(row.payload))
    return (*plain, pack_source(row.seq, row.source), *blobs, seal("results", plain, blobs))


def _result_of(values: Values) -> ResultRow:
    *plain, source, properties, payload, found = values
    check("results", tuple(plain), (properties, payload), found)
    seq, target, event_id, rule, function, topic, qos, retain, created, timeout, total, attempts = plain
    return ResultRow(
        seq=seq,
        target=target,
        event_id=event_id,
        function=function,
        topic=topic,
        payload=payload,
        qos=qos,
        retain=bool(retain),
        properties=properties,
        created=created,
        timeout=timeout,
        total=total,
        source=unpack_source(seq, source),
        rule=rule,
        attempts=attempts,
    )


def _letter_values(row: Letter) -> Values:
    texts = (row.kind, row.lane, row.rule, row.function, row.event_id, row.error_type, row.message, row.key)
    plain = (
        row.seq,
        *map(_text, texts),
        _encode_json(row.head),
        _encode_json(row.stack),
        int(row.attempts),
        _real(row.first),
        _real(row.died),
    )
    body = bytes(row.body)
    return (*plain, pack_source(row.seq, row.source), body, seal("letters", plain, (body,)))


def _letter_of(values: Values) -> Letter:
    *plain, source, body, found = values
    check("letters", tuple(plain), (body,), found)
    seq, kind, lane, rule, function, event_id, error_type, message, key, head, stack, *numbers = plain
    attempts, first, died = numbers
    return Letter(
        seq=seq,
        kind=kind,
        lane=lane,
        rule=rule,
        function=function,
        event_id=event_id,
        head=json.loads(head),
        body=body,
        attempts=attempts,
        error_type=error_type,
        message=message,
        first=first,
        died=died,
        key=key,
        stack=tuple(json.loads(stack)),
        source=unpack_source(seq, source),
    )


def _invocation_values(row: Invocation) -> Values:
    plain = (
        *map(_text, (row.id, row.function, row.state, row.callback, row.callback_state)),
        _real(row.created),
        _real(row.expires),
        int(row.attempts),
        _real(row.finished),
        _encode_json(row.result),
        _encode_json(row.error),
    )
    body = None if row.body is None else bytes(row.body)
    return (*plain, body, seal("invocations", plain, (body,)))


def _invocation_of(values: Values) -> Invocation:
    *plain, body, found = values
    check("invocations", tuple(plain), (body,), found)
    id_, function, state, callback, callback_state, created, expires, attempts, finished, *heads = plain
    result, error = map(json.loads, heads)
    return Invocation(
        id=id_,
        function=function,
        state=state,
        created=created,
        expires=expires,
        attempts=attempts,
        finished=finished,
        result=result,
        body=body,
        error=error,
        callback=callback,
        callback_state=callback_state,
    )


def _small(name: str) -> tuple[Callable[[Values], Values], Callable[[Values], Values]]:
    """For tables of nothing but text and numbers."""

    def encode(row: Values) -> Values:
        plain = tuple(_text(each) if isinstance(each, str) else each for each in row)
        return (*plain, seal(name, plain))

    def decode(values: Values) -> Values:
        check(name, values[:-1], (), values[-1])
        return values[:-1]

    return encode, decode


EVENTS = Table(
    "events",
    "seq",
    ("seq", "lane", "event_id", "head", "key", "attempts", "due", "source", "body", "seal"),
    _event_values,
    _event_of,
)
RESULTS = Table(
    "results",
    "seq",
    (
        *("seq", "target", "event_id", "rule", "function", "topic", "qos", "retain", "created", "timeout"),
        *("total", "attempts", "source", "properties", "payload", "seal"),
    ),
    _result_values,
    _result_of,
)
LETTERS = Table(
    "letters",
    "seq",
    (
        *("seq", "kind", "lane", "rule", "function", "event_id", "error_type", "message", "key", "head"),
        *("stack", "attempts", "first", "died", "source", "body", "seal"),
    ),
    _letter_values,
    _letter_of,
)
INVOCATIONS = Table(
    "invocations",
    "id",
    (
        *("id", "function", "state", "callback", "callback_state", "created", "expires", "attempts"),
        *("finished", "result", "error", "body", "seal"),
    ),
    _invocation_values,
    _invocation_of,
)
MOMENTS = Table("moments", "name", ("name", "moment", "seal"), *_small("moments"))
SEEN = Table("seen", "place", ("place", "rule", "key", "moment", "seal"), *_small("seen"))
AGES = Table("ages", "seq", ("seq", "ran", "seal"), *_small("ages"))
"""When a row had been written: those up to `seq` before the database had been open for `ran` seconds."""

TABLES: tuple[Table[Any], ...] = (EVENTS, RESULTS, LETTERS, INVOCATIONS, MOMENTS, SEEN, AGES)
SOURCED: tuple[Table[Any], ...] = (EVENTS, RESULTS, LETTERS)
