"""The operations on devices."""

from host.web.openapi.operation import (
    ANYTHING,
    COUNT,
    NUMBER,
    TEXT,
    Operation,
    Schema,
    in_query,
    listed,
    maybe,
    shape,
    told,
)

WHOLE: Schema = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
FLAG: Schema = {"type": "integer", "enum": [0, 1], "default": 0}
STATE: Schema = {"enum": ["online", "offline", "never"]}
ORDER: Schema = {"enum": ["name", "seen", "rate", "count", "state", "result"], "default": "name"}
DEVICE = {
    "name": TEXT,
    "state": STATE,
    "first": maybe(NUMBER),
    "seen": maybe(NUMBER),
    "since": maybe(NUMBER),
    "count": COUNT,
    "rate": NUMBER,
    "interval": maybe(NUMBER),
    "functions": listed(TEXT),
    "rule": TEXT,
    "result": TEXT,
    "value": TEXT,
}
LINE = shape(
    {
        "function": TEXT,
        "rule": TEXT,
        "count": COUNT,
        "seen": NUMBER,
        "interval": maybe(NUMBER),
        "result": TEXT,
        "event_id": TEXT,
        "error": maybe(shape({"type": TEXT, "message": TEXT})),
        "input": ANYTHING,
        "output": ANYTHING,
    }
)
SERIES = shape(
    {
        "fields": listed(shape({"of": TEXT, "path": TEXT})),
        "times": listed(NUMBER),
        "columns": listed(listed(maybe(NUMBER))),
    }
)

OPERATIONS = (
    Operation(
        "GET",
        "/api/devices",
        "listDevices",
        "Devices with what they said last, those of the config that were never heard of included.",
        "read",
        told(
            shape(
                {
                    "devices": listed(shape(DEVICE)),
                    "total": COUNT,
                    "counts": shape({"online": COUNT, "offline": COUNT, "never": COUNT}),
                    "now": NUMBER,
                }
            )
        ),
        (400,),
        (
            in_query("contains", "Those whose name has this in it.", TEXT),
            in_query("state", "Those of this state.", STATE),
            in_query("sort", "By what they are ordered.", ORDER),
            in_query("down", "1: the greatest first.", FLAG),
            in_query("offset", "So many are passed over.", WHOLE),
            in_query("limit", "So many, at most 1,000.", {**WHOLE, "minimum": 1, "default": 100}),
        ),
    ),
    Operation(
        "GET",
        "/api/device",
        "showDevice",
        "One device: what each function made of its last event, when it was there, and its plot.",
        "read",
        told(
            shape(
                DEVICE,
                {"lines": listed(LINE), "newest": maybe(TEXT), "past": ANYTHING, "series": SERIES},
            )
        ),
        (404,),
        (in_query("name", "The device's name.", TEXT),),
    ),
)
