"""Config files in JSON: checked as such, then read as the YAML that they nearly are."""

import json
import re

from conf.document import MOST_BYTES, Document, read_document
from conf.faults import ConfigError, Fault

# JSON writes what lies beyond 16 bits as two escapes, which YAML does not put together again.
PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def read_json(text: bytes) -> Document:
    """The document in `text`; raises ConfigError with the line of what is not JSON, or with all faults."""
    if len(text) > MOST_BYTES:
        return read_document(text)
    try:
        decoded = text.decode("utf-8-sig")
        json.loads(decoded)
    except json.JSONDecodeError as error:
        raise ConfigError([Fault("", f"is not JSON: {error.msg}", line=error.lineno)]) from None
    except UnicodeDecodeError:
        raise ConfigError([Fault("", "is not JSON: it holds bytes that are not UTF-8 text")]) from None
    except RecursionError:
        raise ConfigError([Fault("", "is nested too deep")]) from None
    return read_document(PAIR.sub(_join, decoded).encode())


def _join(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
