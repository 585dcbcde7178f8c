"""The operations on the host itself: its health, its connections, this document."""

from host.web.openapi.operation import (
    ANYTHING,
    BYTES,
    COUNT,
    FLAG,
    JSON,
    NUMBER,
    TEXT,
    Answer,
    Operation,
    Schema,
    in_query,
    listed,
    maybe,
    ref,
    shape,
    told,
)

READY: Schema = shape({"ready": FLAG}, {"checks": listed(ref("Check"))})

USAGE: Schema = shape(
    {
        **dict.fromkeys(("events", "refused", "failed", "bytes_in", "bytes_out"), COUNT),
        "run_ms": NUMBER,
    },
    {"trigger": TEXT, "caller": TEXT, "function": TEXT},
)

STATUS: Schema = shape(
    {
        "version": TEXT,
        "pid": COUNT,
        "user": TEXT,
        "since": NUMBER,
        "addresses": listed(TEXT),
        "config": maybe(TEXT),
        "state": shape({"path": TEXT, "used": maybe(COUNT), "most": maybe(COUNT)}),
        "ready": FLAG,
        "checks": listed(ref("Check")),
        "functions": shape({"total": COUNT, "instances": COUNT, "states": {"type": "object"}}),
        "memory": shape({"used": COUNT, "budget": COUNT}),
        "brokers": listed(shape({"broker": TEXT, "connected": COUNT, "connections": COUNT})),
        "waiting": shape(dict.fromkeys(("events", "results", "dead_letters"), COUNT)),
    }
)

GREETING = shape({"code": {"const": 200}, "data": TEXT, "msg": TEXT, "show": FLAG})

OPERATIONS = (
    Operation(
        "GET",
        "/",
        "hello",
        "What the older program answered, for those who look whether it is there; for browsers the console.",
        None,
        {
            "200": Answer("The greeting, or the page.", {JSON: GREETING, "text/html": BYTES}),
            "303": Answer("To the page to sign in."),
        },
    ),
    Operation(
        "GET", "/livez", "live", "The host's event loop turns.", None, told(shape({"live": {"const": True}}))
    ),
    Operation(
        "GET",
        "/readyz",
        "ready",
        "Whether events can be taken, and what says otherwise.",
        None,
        {"200": Answer("They can.", {JSON: READY}), "503": Answer("They cannot.", {JSON: READY})},
    ),
    Operation(
        "GET",
        "/queue_size_metrics",
        "queueSizes",
        "Queue lengths by rule and function, in the older program's shape.",
        "read",
        told(
            shape(
                {
                    "queue_size_metrics": listed(
                        shape({"sub_process_name": TEXT, "pre_queue": COUNT, "post_queue": COUNT})
                    )
                }
            )
        ),
    ),
    Operation(
        "GET",
        "/metrics",
        "metrics",
        "The page for Prometheus; on loopback nobody needs a token, unless `access.metrics` says so.",
        "read",
        {"200": Answer("All metrics.", dict.fromkeys(("text/plain", "application/openmetrics-text"), TEXT))},
    ),
    Operation(
        "GET",
        "/api/status",
        "status",
        "What host this is, where it listens, how it is, and what waits.",
        "read",
        told(STATUS),
        (503,),
    ),
    Operation(
        "GET",
        "/api/delivery",
        "showDelivery",
        "What waits on disk, and what became of what no longer does.",
        "read",
        told(ref("Delivery")),
        (503,),
    ),
    Operation(
        "GET",
        "/api/usage",
        "showUsage",
        "What callers have had, or functions, those with the most events first.",
        "read",
        told(
            shape(
                {
                    "by": {"enum": ["caller", "function"]},
                    "since": NUMBER,
                    "usage": listed(USAGE),
                    "total": COUNT,
                }
            )
        ),
        (400,),
        (
            in_query("by", "One row for each of these.", {"enum": ["caller", "function"]}),
            in_query("seconds", "Only the last so many, in whole hours.", {"type": "number", "minimum": 0}),
        ),
    ),
    Operation("GET", "/api/openapi.json", "openApi", "This document.", "read", told(ANYTHING)),
)
