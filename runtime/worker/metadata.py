"""What a function is told of an event beside its body: `context.event` and `context.trigger`."""

from typing import Any


class Facts:
    """Values that are read by name and do not change.

    `vars()` gives them all. Neither tuples, which would be results that JSON can say, nor dataclasses, whose
    import takes as long as that of all our own modules.
    """

    def __init__(self, **told: Any) -> None:
        kind = type(self)
        vars(self).update({name: told.get(name, getattr(kind, name, None)) for name in kind.__annotations__})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__qualname__}({told})"


class Trigger(Facts):
    """Where an event came from: `kind` is http, mqtt or timer, `name` that of the rule or timer."""

    kind: str
    name: str


class EventInfo(Facts):
    """An event's metadata; what its trigger does not know is None."""

    id: str
    source: str
    content_type: str | None = None
    headers: dict[str, str]
    method: str | None = None
    path: str | None = None
    query: str | None = None
    topic: str | None = None
    qos: int | None = None
    retain: bool | None = None
    device: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    scheduled: str | None = None
    timestamp: float | None = None
    attempt: int = 1
