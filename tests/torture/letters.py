"""The dead letters of a host, read as anybody would read them."""

import re
from typing import Any

from tests.torture.ledger import Letter
from tests.torture.stage import Stage

PAGE = 1000
_EVENT = re.compile(r"event (\d+) asked")
_NUMBER = re.compile(r'"number":\s*(\d+)|\'number\':\s*(\d+)')


def read_letters(stage: Stage) -> list[Letter]:
    """All of them; blocks."""
    letters: list[Letter] = []
    before: dict[str, str] = {}
    while True:
        told = stage.get("/api/dead-letters", limit=str(PAGE), **before)
        page: list[dict[str, Any]] = told["dead_letters"] if told else []
        letters += [_read(stage, each) for each in page]
        if len(page) < PAGE:
            return letters
        before = {"before": str(page[-1]["seq"])}


def _read(stage: Stage, shown: dict[str, Any]) -> Letter:
    return Letter(_number(stage, shown), shown["error_type"], shown["attempts"])


def _number(stage: Stage, shown: dict[str, Any]) -> int:
    """An instance that died could not say which event it had; the event itself does."""
    if found := _EVENT.search(shown["message"]):
        return int(found[1])
    found = _NUMBER.search(str(stage.get(f"/api/dead-letters/{shown['seq']}")))
    return int(found[1] or found[2]) if found else -1
