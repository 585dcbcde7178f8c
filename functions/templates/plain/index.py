"""Tells whether a temperature is too high."""

LIMIT = 100


def index(event, context):
    """`{"hot": true}` for `{"t": 188}`."""
    if event["t"] > LIMIT:
        print("too hot:", event["t"])
    return {"hot": event["t"] > LIMIT}
