"""What templates say of what others have named: JSON as text, names without hidden characters, links."""

import json
import unicodedata
from urllib.parse import quote

HIDDEN = ("Cc", "Cf", "Cs")
"""Characters that are not seen, and that may have others seen in another order."""
MARK = "·"
DOTS = (".", "..")


def json_text(value: object) -> str:
    """JSON as people read it; what it holds for HTML is escaped as all text is."""
    return json.dumps(value, ensure_ascii=False)


def marked(name: str) -> str:
    """A name in which a mark stands for each character that is not seen."""
    return "".join(MARK if unicodedata.category(letter) in HIDDEN else letter for letter in name)


def device_link(name: str) -> str:
    """Where the page of a device is.

    What would end a part of the path is quoted twice, and so are names that browsers take for steps of it.
    """
    told = name.replace("%", "%25").replace("/", "%2F")
    return "/console/devices/" + quote(
        told.replace(".", "%2E") if told in DOTS else told, safe="", errors="replace"
    )


FILTERS = {"json_text": json_text, "marked": marked, "device_link": device_link}
"""By the names that templates have for them."""
