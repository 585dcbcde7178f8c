"""Numbers and flags in the paths and queries of the API."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

DIGITS = 18
"""As many as any number of a row or a revision has; what is longer fits neither a row nor a file's name."""


def path_number(request: Request, name: str) -> int:
    """The number called `name` in the path; raises HTTPException (404) for what can be none."""
    text = str(request.path_params[name])
    if not _is_number(text):
        raise HTTPException(
            404, f"there is no {text[:40]!r} here: it takes a number of up to {DIGITS} digits"
        )
    return int(text)


def query_number(request: Request, name: str) -> int | None:
    """The number called `name` in the query, None where it is not told; raises HTTPException (400)."""
    text = request.query_params.get(name)
    if text is not None and not _is_number(text):
        raise HTTPException(400, f"{name} is a whole number of up to {DIGITS} digits, not {text[:40]!r}")
    return None if text is None else int(text)


def query_flag(request: Request, name: str) -> bool:
    """Whether the query says `name=1`; raises HTTPException (400) for what is neither 1 nor 0."""
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise HTTPException(400, f"{name} is 1 or 0, not {text[:40]!r}")
    return text == "1"


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= DIGITS
