"""The operation that tells the history."""

from host.web.openapi.operation import (
    JSON,
    NUMBER,
    TEXT,
    Answer,
    Operation,
    Schema,
    in_query,
    listed,
    maybe,
    shape,
)

SINCE: Schema = {**TEXT, "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?$", "default": "15m"}
COLUMN: Schema = shape({"name": TEXT, "unit": TEXT, "kind": {"enum": ["count", "level", "last"]}})
SERIES: Schema = shape(
    {
        "function": maybe(TEXT),
        "instance": maybe(TEXT),
        "times": listed(NUMBER),
        "values": {"type": "object", "additionalProperties": {"type": "array"}},
    }
)
HISTORY: Schema = shape(
    {
        "scope": {"enum": ["host", "function", "instance"]},
        "step": {"enum": [1, 10, 60]},
        "since": NUMBER,
        "now": NUMBER,
        "columns": listed(COLUMN),
        "series": listed(SERIES),
    }
)

OPERATIONS = (
    Operation(
        "GET",
        "/api/metrics",
        "showHistory",
        "What the host, its functions and their instances did of late, as columns of numbers.",
        "read",
        {"200": Answer("The rows that are kept.", {JSON: HISTORY, "text/csv": TEXT})},
        (400,),
        (
            in_query("scope", "Of what.", {"enum": ["host", "function", "instance"]}),
            in_query("function", "Of this one only.", TEXT),
            in_query("instance", "Of this one only: REVISION.SLOT.PID.", TEXT),
            in_query("since", "How far back, such as 1h; at most a day.", SINCE),
            in_query("step", "Seconds of a row.", {"enum": ["auto", "1s", "10s", "1m"], "default": "auto"}),
            in_query("columns", "Some of them, with commas between.", TEXT),
            in_query("format", "Of the answer.", {"enum": ["json", "csv"], "default": "json"}),
        ),
    ),
)
