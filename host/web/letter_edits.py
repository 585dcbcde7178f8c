"""What a person may send in the place of a dead letter's payload, and what the audit log tells of it."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from host.deployment.catalog import Catalog
from host.deployment.specs import glance
from runtime.worker.json_depth import is_deeper
from triggers.delivery.letters import RESULT
from triggers.store.rows import Letter

LARGEST = 16 * 1024 * 1024
"""Bytes of a request with a payload in it, which may be base64."""
DEEPEST = 100
LONGEST_ORIGINAL = 160
"""Characters of the original that the audit log keeps beside its digest."""


class EditError(Exception):
    """The payload is not what may be sent; `status` as in HTTP."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Edits:
    """`accepts` tells what a function takes, `most` the bytes of an event of it; None where nobody knows.

    `keeps` says whether the audit log may keep what was in a payload, and not its digest only.
    """

    accepts: Callable[[str], str | None]
    most: Callable[[str], int | None]
    usual: int
    keeps: bool

    def check(self, letter: Letter, body: bytes) -> None:
        """Raise EditError unless the function of the letter, or its broker, may be sent this."""
        most = self.most(letter.function) or self.usual
        if len(body) > most:
            raise EditError(f"the payload has {len(body)} bytes, and {letter.function} takes {most}", 413)
        if self._wants_json(letter) and (why := fault_of(body)):
            raise EditError(f"{letter.function} takes JSON, and the payload is none: {why}", 409)

    def _wants_json(self, letter: Letter) -> bool:
        if letter.kind == RESULT:
            return fault_of(letter.body) is None
        told = "json" in str(letter.head.get("contentType") or "")
        # Text without a content type is taken as text, too: it was none before.
        return self.accepts(letter.function) in (None, "json") and (told or fault_of(letter.body) is None)

    def tell(self, letter: Letter, body: bytes) -> dict[str, str]:
        """What the audit log says of a replay with another payload."""
        sizes = f"seq={letter.seq} function={letter.function} edited={len(body)} original={len(letter.body)}"
        told = {"target": sizes, "digest": hashlib.sha256(letter.body).hexdigest()}
        if self.keeps:
            told["reason"] = "original: " + letter.body[:LONGEST_ORIGINAL].decode("utf-8", "backslashreplace")
        return told


def accepted_by(catalog: Catalog, function: str) -> str | None:
    """The `accepts` of a function's live revision, None where there is none."""
    deployed = catalog.functions.get(function)
    if deployed is None or deployed.live is None:
        return None
    return glance(deployed.revisions[deployed.live].manifest_json).accepts


def read_payload(told: dict[str, Any]) -> bytes | None:
    """The payload in the body of a request, None where there is none; raises EditError."""
    if unknown := set(told) - {"payload", "payload_base64"}:
        raise EditError(f"the body has `payload` or `payload_base64`, and no {sorted(unknown)[0][:40]!r}")
    text, packed = told.get("payload"), told.get("payload_base64")
    if not all(isinstance(each, str | None) for each in (text, packed)):
        raise EditError("the payload is a text: the event itself, or its bytes as base64")
    if packed is None:
        return None if text is None else text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(packed, validate=True)
    except ValueError as error:
        raise EditError(f"`payload_base64` is no base64: {error}") from None


def fault_of(body: bytes) -> str | None:
    """Why it is no JSON; None for JSON."""
    if is_deeper(body, DEEPEST):
        return f"it is nested more than {DEEPEST} deep"
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        return str(error)[:200]
    return None
