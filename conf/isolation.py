"""How strongly functions are boxed in: which walls are wanted, and how few of them are too few."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from conf.types import Section

Level = Literal["none", "basic", "standard", "strong"]

LEVELS: tuple[Level, ...] = ("none", "basic", "standard", "strong")
"""Weakest first."""
BLOCK = 1024
"""User ids that one host takes: one for each of its functions."""
DEFAULT = "1900000000-1900065535"
"""systemd keeps those below 1879048192 for containers, and none in between (https://systemd.io/UIDS-GIDS)."""
RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
FIRST, LAST = 1000, 2**32 - 3
"""Below are the system's own users; the last two of 32 bits mean `nobody` or no change (setresuid(2))."""


def parse_uids(text: str) -> range:
    """`1900000000-1900065535`, both ends included; raises ValueError."""
    match = RANGE.fullmatch(text.replace(" ", ""))
    if match is None:
        raise ValueError(f"{text!r} is not a range of user ids; write FIRST-LAST, such as {DEFAULT}")
    uids = range(int(match[1]), int(match[2]) + 1)
    if uids.start < FIRST or uids.stop - 1 > LAST:
        raise ValueError(f"user ids of functions lie between {FIRST} and {LAST}")
    if len(uids) < BLOCK:
        raise ValueError(f"{text} are {len(uids)} user ids; a host takes {BLOCK}")
    return uids


def _check_uids(text: str) -> str:
    parse_uids(text)
    return text


class Isolation(Section):
    """What stands between a function and the rest of the machine.

    strong is a user id of its own, Landlock, seccomp and cgroups; standard is Landlock, seccomp and limits;
    basic is limits and no new privileges.
    """

    level: Literal["best", "strong", "standard", "basic", "none"] = Field(
        default="best", description="which walls are put up; best: all that the machine has"
    )
    min: Literal["none", "basic", "standard", "strong"] = Field(
        default="none", description="level below which the host, and each function, refuses to start"
    )
    uids: Annotated[str, AfterValidator(_check_uids)] = Field(
        default=DEFAULT,
        description="user ids that functions run under where the host is root; 1024 of them are taken, which"
        " no user, group, subuid or subgid of the machine has",
    )

    @model_validator(mode="after")
    def check_order(self) -> "Isolation":
        """What is put up is not less than what is demanded."""
        if self.level != "best" and LEVELS.index(self.level) < LEVELS.index(self.min):
            raise ValueError(f"`level` is {self.level}, less than `min`, which is {self.min}")
        return self
