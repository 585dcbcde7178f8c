"""What somebody asks of the history, read from a query; what is wrong with it is a 400 that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.exceptions import HTTPException

from conf.units import parse_duration
from host.observing.history.columns import SCOPES, Scope
from host.observing.history.derived import Shown, shown_columns
from host.observing.history.history import LONGEST
from host.observing.history.series import STEPS

PARAMETERS = ("scope", "function", "instance", "since", "step", "columns", "format")
STEP_NAMES = {"1s": 1, "10s": 10, "1m": 60}
FORMATS = ("json", "csv")
SINCE = "15m"
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class Request:
    """Which series (all of the scope where nothing is named), and from how many seconds ago."""

    scope: Scope
    function: str
    instance: str
    since: float
    step: int
    columns: tuple[Shown, ...]
    form: str


def read_request(query: Mapping[str, str]) -> Request:
    """Raises HTTPException (400)."""
    unknown = sorted(query.keys() - set(PARAMETERS))
    if unknown:
        raise HTTPException(
            400, f"there is no parameter {unknown[0][:40]!r} here: it takes {', '.join(PARAMETERS)}"
        )
    function, instance = query.get("function", ""), query.get("instance", "")
    usual = "instance" if instance else "function" if function else "host"
    scope = _one_of("scope", query.get("scope", usual), SCOPES)
    since = _since(query.get("since", SINCE))
    step = query.get("step", "auto")
    if step != "auto":
        _one_of("step", step, (*STEP_NAMES, "auto"))
    form = _one_of("format", query.get("format", "json"), FORMATS)
    columns = _columns(scope, query.get("columns"))
    return Request(scope, function, instance, since, STEP_NAMES.get(step) or fitting(since), columns, form)


def fitting(since: float) -> int:
    """The finest step that reaches so many seconds back."""
    return next((step for step, span in STEPS.items() if since <= span), max(STEPS))


def _one_of(name: str, told: str, choice: tuple[Word, ...]) -> Word:
    for each in choice:
        if each == told:
            return each
    raise HTTPException(400, f"{name} is one of {', '.join(choice)}, not {told[:40]!r}")


def _since(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise HTTPException(400, f"since: {str(error)[:200]}") from None
    if not 0 < seconds <= LONGEST:
        raise HTTPException(
            400, f"since is above 0 and at most {LONGEST // 3600}h, for which history is kept"
        )
    return seconds


def _columns(scope: Scope, text: str | None) -> tuple[Shown, ...]:
    known = {each.name: each for each in shown_columns(scope)}
    if text is None:
        return tuple(known.values())
    names = dict.fromkeys(text.split(","))
    for name in names:
        if name not in known:
            raise HTTPException(400, f"there is no column {name[:40]!r}, but {', '.join(known)}")
    return tuple(known[name] for name in names)
