"""The operations on events: invoke, asynchronous invocations, dead letters, timers."""

from host.web.openapi.operation import (
    ANYTHING,
    BYTES,
    COUNT,
    JSON,
    TEXT,
    Answer,
    Operation,
    Schema,
    in_header,
    in_path,
    in_query,
    listed,
    ref,
    shape,
    told,
)

TARGET: Schema = in_path(
    "target",
    "A function's name; `name@3` for a revision, `name@canary` for an alias.",
    {"type": "string", "minLength": 1, "examples": ["industry"]},
)
TRACEPARENT: Schema = in_header("traceparent", "The event's trace (W3C Trace Context).", TEXT)
TRACESTATE: Schema = in_header("tracestate", "What goes on with that trace.", TEXT)
REQUEST_ID: Schema = in_header(
    "X-Request-Id",
    "An id for the event, up to 64 of `A-Za-z0-9_.-`; else the host makes one. Asynchronous events of one id "
    "are one.",
    TEXT,
)
ASYNC: Schema = in_header("X-Invocation-Type", "`async`: answer with 202 once the event is on disk.", TEXT)
PREFER: Schema = in_header("Prefer", "`respond-async` (RFC 7240) asks for the same.", TEXT)
CALLBACK: Schema = in_header(
    "X-Callback-Url", "The address to which the result of an asynchronous event is posted.", TEXT
)
EVENT: Schema = {
    "description": "The event: JSON by default; text or any bytes where the function's `accepts` says so.",
    "content": {
        JSON: {"schema": ANYTHING, "example": {"t": 188, "h": 134}},
        "text/plain": {"schema": TEXT},
        "application/octet-stream": {"schema": BYTES},
    },
}
INVOKED = {
    "200": Answer("What the function returned.", {"*/*": ANYTHING}, {"x-request-id": "The event's id."}),
    "202": Answer(
        "The event is on disk; this says where its result will be.",
        {JSON: ref("Accepted")},
        {"x-request-id": "The event's id.", "location": "Where it is looked up."},
        tuple(
            (each, "id", "$response.body#/id")
            for each in ("showInvocation", "cancelInvocation", "readResult")
        ),
    ),
    "204": Answer("The function returned None.", {}, {"x-request-id": "The event's id."}),
    "default": Answer("A `Response` of the function with a status of its own.", {"*/*": ANYTHING}),
}

ID: Schema = in_path("id", "The event's id.", {"type": "string", "minLength": 1})
ONE = "/api/invocations/{id}"

LETTERS = "/api/dead-letters"
SEQ: Schema = in_path(
    "seq", "The dead letter's number.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
)
FUNCTION: Schema = in_query("function", "Those of this function.", TEXT)
RULE: Schema = in_query("rule", "Those of this rule.", TEXT)
ERROR: Schema = in_query("error", "Those that failed with an error of this type.", TEXT)
BASE64: Schema = {
    "type": "string",
    "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}
PAYLOAD: Schema = {
    "description": "Another payload, tried instead of its own; `payload_base64` is for what is no text.",
    "content": {
        JSON: {
            "schema": {
                **shape({}, {"payload": TEXT, "payload_base64": BASE64}),
                "additionalProperties": False,
            },
            "example": {"payload": '{"t": 188}'},
        }
    },
}
ALL: Schema = in_query(
    "all",
    "1: all there are; else some of `function`, `rule` and `error` say which.",
    {"type": "integer", "enum": [0, 1], "default": 0},
)
LIMIT: Schema = in_query(
    "limit",
    "So many, at most 1,000.",
    {"type": "integer", "minimum": 1, "maximum": 10**18 - 1, "default": 100},
)
BEFORE: Schema = in_query(
    "before", "Those older than this number.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
)
UNTIL: Schema = in_query(
    "until", "None newer than this number.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
)

ONE_LETTER = ("showDeadLetter", "dropDeadLetter", "replayDeadLetter")

OPERATIONS = (
    Operation(
        "POST",
        "/invoke/{target}",
        "invoke",
        "Run a function on one event and answer with what it returned.",
        "invoke",
        INVOKED,
        (400, 404, 409, 413, 429, 500, 502, 503, 504),
        (TARGET, REQUEST_ID, ASYNC, PREFER, CALLBACK, TRACEPARENT, TRACESTATE),
        EVENT,
    ),
    Operation(
        "GET",
        ONE,
        "showInvocation",
        "What became of an asynchronous invocation.",
        "invoke",
        told(ref("Invocation")),
        (404, 503),
        (ID,),
    ),
    Operation(
        "DELETE",
        ONE,
        "cancelInvocation",
        "Call it off: what waits does not run, what runs has no result.",
        "invoke",
        told(ref("Invocation")),
        (404, 409, 503),
        (ID,),
    ),
    Operation(
        "GET",
        f"{ONE}/result",
        "readResult",
        "The function's own answer, as it would have been to a caller who waited.",
        "invoke",
        {
            **INVOKED,
            "202": Answer("It has not ended.", {JSON: ref("Invocation")}, {"retry-after": "Seconds."}),
        },
        (404, 410, 500, 502, 503, 504),
        (ID,),
    ),
    Operation(
        "GET",
        LETTERS,
        "listDeadLetters",
        "The newest dead letters, without their bodies.",
        "read",
        {
            "200": Answer(
                "A page of them; `before` asks for the next.",
                {JSON: shape({"dead_letters": listed(ref("Letter")), "total": COUNT})},
                links=tuple((each, "seq", "$response.body#/dead_letters/0/seq") for each in ONE_LETTER),
            )
        },
        (400, 503),
        (FUNCTION, RULE, ERROR, LIMIT, BEFORE),
    ),
    Operation(
        "DELETE",
        LETTERS,
        "dropDeadLetters",
        "Throw dead letters away.",
        "admin",
        told(shape({"dropped": COUNT})),
        (400, 503),
        (FUNCTION, RULE, ERROR, ALL, UNTIL),
    ),
    Operation(
        "POST",
        f"{LETTERS}/replay",
        "replayDeadLetters",
        "Try dead letters again.",
        "admin",
        told(shape({"replayed": COUNT, "stranded": {"type": "object", "additionalProperties": COUNT}})),
        (400, 503),
        (FUNCTION, RULE, ERROR, ALL, UNTIL),
    ),
    Operation(
        "GET",
        f"{LETTERS}/{{seq}}",
        "showDeadLetter",
        "One with its body.",
        "read",
        told(ref("WholeLetter")),
        (404, 503),
        (SEQ,),
    ),
    Operation(
        "DELETE",
        f"{LETTERS}/{{seq}}",
        "dropDeadLetter",
        "Throw one away.",
        "admin",
        told(shape({"dropped": COUNT})),
        (404, 503),
        (SEQ,),
    ),
    Operation(
        "POST",
        f"{LETTERS}/{{seq}}/replay",
        "replayDeadLetter",
        "Try one again, with another payload if one is sent.",
        "admin",
        told(shape({"replayed": COUNT})),
        (400, 404, 409, 413, 503),
        (SEQ,),
        PAYLOAD,
    ),
    Operation(
        "GET",
        "/api/timers",
        "listTimers",
        "Each timer with its next moment and its counters.",
        "read",
        told(shape({"timers": listed(ref("Timer"))})),
    ),
)
