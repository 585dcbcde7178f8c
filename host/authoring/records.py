"""How a private host speaks to the command that started it: records among the lines of its output.

A record is a line of its own, JSON after the character that begins one in RFC 7464 (record separator).
"""

import json
import sys
from typing import Any

SEPARATOR = "\x1e"

Record = dict[str, Any]


def write_record(record: Record) -> None:
    """Write it to stdout, at once."""
    sys.stdout.write(f"{SEPARATOR}{json.dumps(record)}\n")
    sys.stdout.flush()


def read_record(line: str) -> Record | None:
    """The record in a line of output; None for any other line."""
    if not line.startswith(SEPARATOR):
        return None
    record: Record = json.loads(line[1:])
    return record
