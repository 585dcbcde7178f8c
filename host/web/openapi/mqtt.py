"""The operations on brokers: connections, topics and messages that were seen, publishing, listening."""

from host.web.openapi.operation import (
    COUNT,
    FLAG,
    JSON,
    LINES,
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

QOS: Schema = {"enum": [0, 1, 2]}
BROKER: Schema = shape(
    {
        "name": TEXT,
        "address": TEXT,
        "tls": FLAG,
        "version": maybe({"enum": ["5", "3.1.1"]}),
        "rules": listed(shape({"name": TEXT, "filter": TEXT, "retained": FLAG})),
    }
)
TOPIC: Schema = shape(
    {
        "key": TEXT,
        "broker": TEXT,
        "topic": TEXT,
        "received": COUNT,
        "sent": COUNT,
        "heard": COUNT,
        "at": NUMBER,
        "size": COUNT,
        "qos": QOS,
        "retain": FLAG,
        "brief": TEXT,
    }
)
MESSAGE: Schema = shape(
    {
        "number": COUNT,
        "at": NUMBER,
        "client_id": TEXT,
        "way": {"enum": ["in", "out", "heard"]},
        "qos": QOS,
        "retain": FLAG,
        "dup": FLAG,
        "mid": maybe(COUNT),
        "size": COUNT,
        "cut": FLAG,
        "redacted": FLAG,
        "lost": TEXT,
        "payload": {"type": "string", "contentEncoding": "base64"},
        "properties": listed(listed(TEXT)),
    }
)
PARCEL: Schema = shape(
    {"broker": TEXT, "topic": TEXT},
    {
        "payload": TEXT,
        "payload_base64": {"type": "string", "contentEncoding": "base64"},
        "qos": QOS,
        "retain": FLAG,
        "content_type": {"type": "string", "maxLength": 200},
    },
)
EXAMPLE = {"broker": "b1", "topic": "plant/3/t", "payload": '{"t": 188}', "qos": 1}
OF_BROKER = in_query("broker", "The name that the config gives it.", TEXT)

OPERATIONS = (
    Operation(
        "GET",
        "/api/mqtt",
        "listConnections",
        "Brokers, connections to them, since when and why, and what became of the events over these.",
        "read",
        told(shape({"brokers": listed(BROKER), "connections": listed(ref("Connection"))})),
    ),
    Operation(
        "GET",
        "/api/mqtt/topics",
        "listTopics",
        "Topics that messages passed on since the start, with counts; the last 2,000.",
        "read",
        told(
            shape({"topics": listed(TOPIC), **dict.fromkeys(("total", "forgotten", "overlong"), COUNT)}),
        ),
        (400, 422),
        (
            OF_BROKER,
            in_query("filter", "Only topics that this filter covers, such as plant/+/t.", TEXT),
            in_query("limit", "So many at most.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
        ),
    ),
    Operation(
        "GET",
        "/api/mqtt/messages",
        "listMessages",
        "The last messages of one topic, the newest first: one, and up to 50 while a page shows them.",
        "read",
        told(shape({"messages": listed(MESSAGE)})),
        (404,),
        (OF_BROKER, in_query("topic", "The whole name.", TEXT)),
    ),
    Operation(
        "POST",
        "/api/mqtt/publish",
        "publishMessage",
        "Publish one message over a connection of its own; answered once the broker has it.",
        "admin",
        told(shape({"published": {"const": True}, "reason": TEXT})),
        (400, 404, 413, 422, 503),
        body={"required": True, "content": {JSON: {"schema": PARCEL, "example": EXAMPLE}}},
    ),
    Operation(
        "GET",
        "/api/mqtt/listen",
        "listenToBroker",
        "Have what comes on a filter noted among topics and messages until the caller hangs up.",
        "admin",
        {
            "200": Answer(
                "A line each second.",
                {LINES: shape({"listening": FLAG, "why": TEXT, "heard": COUNT, "left_out": COUNT})},
            )
        },
        (404, 422, 503),
        (OF_BROKER, in_query("filter", "A topic filter, such as # or plant/+/t.", TEXT)),
    ),
)
