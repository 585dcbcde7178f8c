"""The pages `dead-letters` and, for one of them, `dead-letters/NUMBER`."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from host.console.ground import Ground
from host.console.live.source import Source
from host.console.page import Page, Piece, Shown
from host.observing.replays import Replays
from host.web.letters import describe, summarize
from host.web.numbers import path_number, query_number
from triggers.delivery.letters import RESULT, Choice, DeadLetters, UnknownLetterError
from triggers.store.rows import Letter

SHOWN = 50
WHYS = {
    "DeadlinePassed": "timeout",
    "InstanceDied": "died",
    "InputRejected": "rejected",
    "NotJson": "rejected",
    "TooLarge": "too_large",
    "Unavailable": "unavailable",
    "QueueFull": "overload",
    "RateLimited": "overload",
    "TooManyAtOnce": "overload",
    "UnknownFunction": "unknown",
    "DeviceRefused": "device",
    "NobodyTakesIt": "nobody",
    "BadTopic": "topic",
}


def make(ground: Ground) -> Piece:
    """Both, and what keeps them live."""
    pages = LetterPages(ground.letters)
    return Piece(
        (
            Page("dead-letters", pages.load_list, parts={"rows": pages.load_list}),
            Page("dead-letters", pages.load_one, item=True, stem="dead-letter", namespaces=("dead-letters",)),
        ),
        (LettersSource(ground.letters, ground.observing.replays),),
    )


class LetterPages:
    """What both pages are filled with."""

    def __init__(self, letters: DeadLetters) -> None:
        self._letters = letters

    async def load_list(self, request: Request) -> Shown:
        """The newest of a choice, or those older than `before`."""
        query = request.query_params
        asked = {name: query.get(name, "") for name in ("function", "rule", "error")}
        before = query_number(request, "before")
        choice = Choice(*(value or None for value in asked.values()))
        found = await self._letters.page(choice, before, SHOWN + 1)
        newest = await self._letters.page(choice, None, 1) if before else found[:1]
        kinds = await self._letters.kinds()
        fitting = [kind for kind in kinds if fits(kind, choice)]
        older = {"before": str(found[SHOWN - 1].seq)} if len(found) > SHOWN else None
        return {
            "letters": [tell_letter(each) for each in found[:SHOWN]],
            "asked": asked,
            "choices": choices_of(kinds),
            "total": sum(kind[3] for kind in kinds),
            "until": newest[0].seq if newest else 0,
            "chosen": sum(kind[3] for kind in fitting),
            "older": older and f"/console/dead-letters?{urlencode({**asked, **older})}",
            "newest": before and f"/console/dead-letters?{urlencode(asked)}",
        }

    async def load_one(self, request: Request) -> Shown:
        """One with its payload."""
        try:
            letter = await self._letters.show(path_number(request, "item"))
        except UnknownLetterError as error:
            raise HTTPException(404, str(error)) from None
        return {"letter": tell_letter(letter) | describe(letter)}


def tell_letter(letter: Letter) -> dict[str, Any]:
    """A row of the list."""
    meta = letter.head.get("meta")
    device = letter.head.get("whose") or (meta.get("device") if isinstance(meta, dict) else None)
    return {**summarize(letter), "why": why_of(letter), "device": device or ""}


def why_of(letter: Letter) -> str:
    """The word for what it died of, by which it has its headline."""
    if letter.kind == RESULT:
        return "refused"
    return WHYS.get(letter.error_type, "raised")


def fits(kind: tuple[str, str, str, int], choice: Choice) -> bool:
    """Whether letters of this kind are of the choice."""
    asked = (choice.function, choice.rule, choice.error)
    return all(want in (None, have) for want, have in zip(asked, kind, strict=False))


def choices_of(kinds: list[tuple[str, str, str, int]]) -> dict[str, dict[str, int]]:
    """What may be chosen of functions, rules and types of error, each with its number of letters."""
    told: dict[str, dict[str, int]] = {"function": {}, "rule": {}, "error": {}}
    for *names, count in kinds:
        for counted, name in zip(told.values(), names, strict=True):
            counted[str(name)] = counted.get(str(name), 0) + count
    return told


class LettersSource(Source):
    """The channel `dead-letters`: how many there are, and what came of those that were tried again."""

    name = "dead-letters"
    every = 2

    def __init__(self, letters: DeadLetters, replays: Replays) -> None:
        self._letters = letters
        self._replays = replays
        self._told = (-1, -1)

    def begin(self, item: str) -> Any:
        """As it is."""
        replays = self._replays
        recent = [asdict(each) for each in replays.recent]
        return {"count": self._letters.count, "totals": replays.totals, "recent": recent}

    def tell(self, item: str) -> Any:
        """What is new."""
        now = self._letters.count, self._replays.version
        before, self._told = self._told, now
        return None if now == before else self.begin(item)
