"""Makes of a record what may be shown and written: redacted, masked, and as JSON has it."""

import base64
import json
from collections.abc import Callable
from typing import Any

from host.observing.records.record import Body, Failure, Record
from host.observing.records.redaction import Paths, UnreadableError, blot_headers, redact_json
from runtime.spec import PoolSpec

View = dict[str, Any]

LONGEST_BRIEF = 1000
"""Characters of an error's message in a list of records."""
CUT_AND_REDACTED = "it is larger than `records.body`, and its beginning alone cannot be redacted"
META_MASKED = "its metadata (topic, path, query or headers) had a secret of the function, which is not kept"
NOT_JSON = "it is not JSON that `records.redact` could be applied to"


def seal(record: Record, paths: Paths) -> View:
    """All of a record, with bodies as text or base64; `paths` are those to redact."""
    spec, meta = record.spec, blot_headers(json.loads(record.meta))
    masked = _masked(meta, spec.mask)
    names = ("number", "id", "attempt", "trigger", "source", "caller", "device", "result", "pid", "status")
    told = {name: getattr(record, name) for name in names}
    view = {
        **told,
        "device": _masked(record.device, spec.mask),
        "function": spec.function,
        "revision": spec.revision,
        "digest": spec.sha256,
        "stages": {name: round(value, 6) for name, value in list(record.stages.items())},
        "seconds": round(record.seconds, 7),
        "error": _seal_error(record.error),
        "publications": [{"topic": spec.mask(topic), "size": size} for topic, size in record.publications],
        "meta": masked,
        "meta_cut": record.meta_cut,
        "input": seal_body(record.input, paths, spec),
        "output": seal_body(record.output, paths, spec),
    }
    return {**view, "not_again": why_not_again(view) or (META_MASKED if masked != meta else None)}


def _seal_error(error: Failure | None) -> View | None:
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "stack": list(error.stack)}


def summarize(view: View) -> View:
    """A record without its bodies, metadata and stack, and with the beginning of its error's message."""
    left_out = ("meta", "meta_cut", "input", "output", "publications", "not_again", "error")
    error = view["error"]
    told = {name: value for name, value in view.items() if name not in left_out}
    return {
        **told,
        "error": error and {"type": error["type"], "message": error["message"][:LONGEST_BRIEF]},
        "size": view["input"]["size"],
        "size_out": view["output"]["size"],
    }


def why_not_again(view: View) -> str | None:
    """Why the same event cannot be run once more, and what would let it be the next time; None if it can."""
    kept = view["input"]
    if kept["lost"]:
        return f"its input was not kept: {kept['lost']}"
    if kept["cut"]:
        return (
            f"only the beginning of its input was kept: it has {kept['size']} bytes; raise `records.body` in "
            "the config for those to come"
        )
    if kept["redacted"]:
        return (
            "its input was redacted: it had a key of `records.redact` in the config, or a secret of the "
            "function"
        )
    return "its metadata were too large to be kept" if view["meta_cut"] else None


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(each, mask) for each in value]
    if isinstance(value, dict):
        return {mask(name): _masked(each, mask) for name, each in value.items()}
    return value


def seal_body(body: Body, paths: Paths, spec: PoolSpec) -> View:
    """What may be shown of an input or output, as text or base64."""
    shown = {"content_type": body.content_type, "size": body.size, "cut": body.is_cut, "redacted": False}
    if body.data is None:
        return {**shown, "body": None, "encoding": None, "lost": body.lost}
    data, lost = _redact(body, body.data, paths)
    if lost:
        return {**shown, "body": None, "encoding": None, "cut": False, "lost": lost}
    masked = _mask(data, body.is_cut, spec)
    redacted = masked != body.data if not body.is_cut else data != body.data
    return {**shown, "redacted": redacted, **encode(masked), "lost": ""}


def _redact(body: Body, data: bytes, paths: Paths) -> tuple[bytes, str]:
    """What is left of a body, and why nothing is."""
    if not paths or not body.size:
        return data, ""
    if body.is_cut:
        return b"", CUT_AND_REDACTED
    try:
        return redact_json(data, paths) or data, ""
    except UnreadableError:
        return b"", NOT_JSON


def _mask(data: bytes, is_cut: bool, spec: PoolSpec) -> bytes:
    """Without the function's secrets, and without the beginning of one at the cut."""
    if not spec.secrets:
        return data
    if is_cut:
        data = data[: len(data) - spec.keep(data)]
    return spec.mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def encode(data: bytes) -> View:
    """A body as text where it is UTF-8, else base64."""
    try:
        return {"body": data.decode(), "encoding": "text"}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(data).decode(), "encoding": "base64"}


def decode(shown: View) -> bytes:
    """The bytes of a body that `encode` has told."""
    text = str(shown["body"] or "")
    return base64.b64decode(text) if shown["encoding"] == "base64" else text.encode()
