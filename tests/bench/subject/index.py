"""The measured function, the same text in every server: a threshold for 17 bytes, an echo for telemetry."""

from typing import Any


def index(event: dict[str, Any], context: object) -> Any:
    """`"1"` for `{"t":188,"h":134}`; telemetry comes back as it is."""
    return event if "telemetry" in event else str(int(event["t"] > event["h"]))
