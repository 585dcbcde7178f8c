"""How the one who looks wants the console: the language and the colours, each kept in a cookie."""

from dataclasses import dataclass

from starlette.requests import Request

from host.console.catalog import LANGUAGES, USUAL

LANGUAGE_COOKIE, THEME_COOKIE = "fnhost_language", "fnhost_theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class Viewer:
    """What the page is made for."""

    language: str
    theme: str


def read_viewer(request: Request) -> Viewer:
    """What was chosen here, else what the browser asks for."""
    chosen, theme = request.cookies.get(LANGUAGE_COOKIE, ""), request.cookies.get(THEME_COOKIE, "")
    language = chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))
    return Viewer(language, theme if theme in THEMES else THEMES[0])


def preferred(header: str) -> str:
    """The first of our languages in an `Accept-Language` (RFC 9110, 12.5.4), by the weights given there."""
    weighed = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, tag.lower()))
        except ValueError:
            continue
    for negative, _, tag in sorted(weighed):
        found = next((each for each in LANGUAGES if each.split("-")[0] == tag.split("-")[0]), None)
        if found and negative < 0:
            return found
    return USUAL
