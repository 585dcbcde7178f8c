"""W3C Trace Context: which trace an event belongs to, as it is read, kept in its metadata, and passed on."""

import json
import re
from collections.abc import Sequence

from runtime.events import Event

PARENT, STATE = "traceparent", "tracestate"
LONGEST_STATE = 512
"""Characters: so much is passed on (W3C Trace Context, §3.3.1.5); of what is longer nothing is."""
MOST_MEMBERS = 32

# §3.2: version, trace id, parent id, flags. What follows, only versions after 00 can say.
_PARENT = re.compile(
    r"(?:00|(?P<later>(?!00|ff)[0-9a-f]{2}))-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?(later)(?:-.*)?)"
)
# §3.3.1.3: key=value, where the key is a name, or one of a tenant at a system.
_MEMBER = re.compile(
    r"(?P<key>[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)

Trace = dict[str, object]
"""`traceparent`, and perhaps `tracestate`, as they stand in an event's metadata; empty: no trace."""


def read_trace(parents: Sequence[str], states: Sequence[str]) -> Trace:
    """What headers or user properties of these names say; what is malformed is as if it had not been said."""
    if len(parents) != 1 or not _PARENT.fullmatch(parents[0]):
        return {}
    state = _read_state(",".join(states)) if states else ""
    return {PARENT: parents[0], STATE: state} if state else {PARENT: parents[0]}


def _read_state(text: str) -> str:
    members = [member.strip(" \t") for member in text.split(",")]
    said = [member for member in members if member]
    if len(text) > LONGEST_STATE or len(said) > MOST_MEMBERS:
        return ""
    keys = {found["key"] for member in said if (found := _MEMBER.fullmatch(member))}
    # One that is malformed, or a key that comes twice, makes all of it worthless, as OpenTelemetry has it.
    return ",".join(said) if len(keys) == len(said) else ""


def trace_of(event: Event) -> dict[str, str]:
    """What is passed on with all that comes of the event."""
    meta = event.meta
    if isinstance(meta, bytes):
        meta = json.loads(meta) if b'"traceparent"' in meta else {}
    return {name: value for name in (PARENT, STATE) if isinstance(value := meta.get(name), str)}
