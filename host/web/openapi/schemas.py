"""The shapes of what the API answers, by name."""

from collections.abc import Mapping

from host.web.openapi.operation import (
    ANYTHING,
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Schema,
    listed,
    maybe,
    ref,
    shape,
)

PROBLEM: Mapping[str, Schema] = {
    "type": TEXT,
    "title": TEXT,
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "detail": TEXT,
}
SUMMARY: Mapping[str, Schema] = {
    "name": TEXT,
    "revision": maybe(COUNT),
    "state": TEXT,
    "temperature": {"enum": ["hot", "warm", "cold"]},
    "instances": COUNT,
    "wanted": COUNT,
    "queued": COUNT,
    "in_flight": COUNT,
    "last_error": maybe(TEXT),
    "accepts": maybe({"enum": ["json", "text", "bytes"]}),
}
LETTER: Mapping[str, Schema] = {
    "seq": COUNT,
    "kind": TEXT,
    "lane": TEXT,
    "rule": TEXT,
    "function": TEXT,
    "event_id": TEXT,
    "attempts": COUNT,
    "error_type": TEXT,
    "message": TEXT,
    "first": NUMBER,
    "died": NUMBER,
    "size": COUNT,
}
TOKEN: Mapping[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "scopes": listed(TEXT),
    "state": {"enum": ["live", "expired", "revoked"]},
    "created": NUMBER,
    "expires": maybe(NUMBER),
    "last_used": maybe(NUMBER),
    "revoked": maybe(NUMBER),
}
RULES: Mapping[str, Schema] = {
    "scale": {"type": "object"},
    "fixed": maybe(COUNT),
    "concurrency": COUNT,
    "threads": COUNT,
    "batch": maybe({"type": "object"}),
    "preload": {"anyOf": [FLAG, {"const": "always"}]},
    "memory": maybe(COUNT),
}
REVISION: Mapping[str, Schema] = {
    "number": COUNT,
    "sha256": TEXT,
    "state": TEXT,
    "error": maybe(TEXT),
    "created": NUMBER,
}
STATES = ["waiting", "running", "done", "failed", "cancelled"]

SCHEMAS: Mapping[str, Schema] = {
    "Problem": shape(PROBLEM, {"entry": TEXT, "requestId": TEXT}),
    "InvocationProblem": shape(
        {**PROBLEM, "requestId": TEXT, "errorType": TEXT, "errorMessage": TEXT}, {"stackTrace": listed(TEXT)}
    ),
    "Summary": shape(SUMMARY),
    "Function": shape(
        {
            **SUMMARY,
            "revisions": listed(ref("Revision")),
            "aliases": {"type": "object", "additionalProperties": COUNT},
            "instances_detail": listed(shape({"slot": COUNT, "pid": COUNT, "state": TEXT, "since": NUMBER})),
            "counters": shape({"ok": COUNT, "failed": COUNT}),
        },
        RULES,
    ),
    "Revision": shape(REVISION),
    "Decision": shape(
        {
            "at": NUMBER,
            "wanted": COUNT,
            "temperature": {"enum": ["hot", "warm", "cold"]},
            "why": TEXT,
            "sentence": TEXT,
            "inputs": {"type": "object"},
        }
    ),
    "LogLine": shape(
        {"time": NUMBER, "level": TEXT, "id": TEXT, "revision": TEXT, "line": TEXT},
        {"fields": {"type": "object"}, "more": FLAG},
    ),
    "Accepted": shape({"id": TEXT, "function": TEXT, "state": {"enum": STATES}, "location": TEXT}),
    "Invocation": shape(
        {
            "id": TEXT,
            "function": TEXT,
            "state": {"enum": STATES},
            "created": NUMBER,
            "expires": maybe(NUMBER),
            "attempts": COUNT,
            "finished": maybe(NUMBER),
            "result": maybe({"type": "object"}),
            "error": maybe({"type": "object"}),
            "callback": maybe(TEXT),
            "callback_state": maybe(TEXT),
        }
    ),
    "Letter": shape(LETTER),
    "WholeLetter": shape(
        {
            **LETTER,
            "key": TEXT,
            "stack": listed(TEXT),
            "head": {"type": "object"},
            "body": TEXT,
            "body_encoding": {"enum": ["text", "base64"]},
            "body_cut": FLAG,
        }
    ),
    "Token": shape(TOKEN),
    "NewToken": shape({**TOKEN, "token": TEXT}),
    "Record": shape(
        {
            "n": COUNT,
            "ts": NUMBER,
            "actor": TEXT,
            "action": TEXT,
            "outcome": TEXT,
            "prev": TEXT,
            "hash": TEXT,
        },
        {"peer": TEXT, "target": TEXT, "revision": TEXT, "digest": TEXT, "isolation": TEXT},
    ),
    "Timer": shape(
        {
            "name": TEXT,
            "schedule": TEXT,
            "next": NUMBER,
            "last": maybe(NUMBER),
            "fired": COUNT,
            "missed": COUNT,
            "skipped": COUNT,
            "failed": COUNT,
        }
    ),
    "Check": shape({"name": TEXT, "ok": FLAG, "detail": TEXT, "required": FLAG}, {"remedy": TEXT}),
    "Connection": shape(
        {
            "broker": TEXT,
            "client_id": TEXT,
            "rule": maybe(TEXT),
            "connected": FLAG,
            "version": TEXT,
            "last_error": maybe(TEXT),
            "reconnects": COUNT,
            "since": NUMBER,
            "next_try": maybe(NUMBER),
            "published": COUNT,
            "waiting": COUNT,
            "spells": listed(
                shape({"connected": FLAG, "since": NUMBER, "why": TEXT, "attempts": COUNT, "at": NUMBER})
            ),
        }
    ),
    "Delivery": shape(
        {
            "takes_in": FLAG,
            "why_not": TEXT,
            "used": COUNT,
            "quota": COUNT,
            "events": ANYTHING,
            "results": ANYTHING,
            "dead_letters": COUNT,
        }
    ),
}
