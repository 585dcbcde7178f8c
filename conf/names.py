"""Which names functions may have."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from conf.types import Text

LONGEST_NAME = 200
NAME = re.compile(r"\w[\w.-]*")


def check_name(name: str) -> str:
    """The function's name in Unicode's composed form (NFC).

    Letters, digits and `_` of any script, `.` and `-` after the first; at most 200 bytes of UTF-8.
    Raises ValueError.
    """
    composed = unicodedata.normalize("NFC", name)
    if not NAME.fullmatch(composed):
        raise ValueError(
            f"{name!r} is not a function name; use letters, digits, '_', and inside also '.' and '-'"
        )
    if len(composed.encode()) > LONGEST_NAME:
        raise ValueError(f"the function name is longer than {LONGEST_NAME} bytes; shorten it")
    return composed


Name = Annotated[Text, AfterValidator(check_name)]


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} more than once; a function gets each event once")
    return names


FunctionNames = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_once_each)]
