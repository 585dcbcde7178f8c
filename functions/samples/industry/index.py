"""Model 1: adds a temperature, in whole degrees from 40 to 80, to whatever a truck's telemetry says."""

import json
import zlib


def index(event, context):
    """The event with its temperature: text goes into `payload`, a dict gets one more key."""
    temperature = 40 + zlib.crc32(_as_text(event).encode()) % 41
    context.logger.info("temperature %d", temperature)
    if isinstance(event, dict):
        return {**event, "temperature": temperature}
    return {"temperature": temperature, "payload": event}


def _as_text(event):
    return event if isinstance(event, str) else json.dumps(event, sort_keys=True)
