"""Numbers in the paths of the API."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

DIGITS = 18
"""As many as any number of a row or a revision has; what is longer fits neither a row nor a file's name."""


def path_number(request: Request, name: str) -> int:
    """The number called `name` in the path; raises HTTPException (404) for what can be none."""
    text = str(request.path_params[name])
    if not (text.isdecimal() and text.isascii() and len(text) <= DIGITS):
        raise HTTPException(
            404, f"there is no {text[:40]!r} here: it takes a number of up to {DIGITS} digits"
        )
    return int(text)
