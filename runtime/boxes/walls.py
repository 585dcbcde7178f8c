"""The walls that a box may have, which of them make which level, and what a machine lacks for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from conf.isolation import LEVELS, Level

WALLS = {
    "no_new_privs": "no program makes it more privileged",
    "limits": "memory, files and size of files of each process are bounded",
    "landlock": "it sees its own files and the system's libraries only",
    "seccomp": "system calls that it does not need are refused",
    "uid": "it is a user of its own",
    "cgroup-memory": "the memory of all its processes is bounded",
    "cgroup-cpu": "the processors that all its processes take are bounded",
    "cgroup-pids": "the number of its processes and threads is bounded",
    "namespace": "with `network: none` it has a network of its own, without a way out",
}
"""By name, with what each is good for."""
BASIC = frozenset({"no_new_privs", "limits"})
STANDARD = BASIC | {"landlock", "seccomp"}
STRONG = STANDARD | {"uid", "cgroup-memory", "cgroup-pids"}
NEEDED: dict[Level, frozenset[str]] = {
    "none": frozenset(),
    "basic": BASIC,
    "standard": STANDARD,
    "strong": STRONG,
}
"""What a level promises. Walls beyond it are put up as well where the level is `best`."""

NOT_ASKED = "`isolation.level` does not ask for it"


@dataclass(frozen=True)
class Lack:
    """Why a wall cannot be put up, and what to do about it."""

    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}; {self.remedy}" if self.remedy else self.why


Lacks = Mapping[str, Lack]
"""The walls that are missing, by name."""


def reached(standing: Collection[str]) -> Level:
    """The strongest level that these walls make."""
    return max((level for level in LEVELS if NEEDED[level] <= set(standing)), key=LEVELS.index)


def asked(level: str) -> frozenset[str]:
    """The walls that are put up for a level of the config."""
    if level == "best":
        return frozenset(WALLS)
    walls = next(NEEDED[each] for each in LEVELS if each == level)
    return walls | {"cgroup-cpu", "namespace"} if level == "strong" else walls


def say_missing(level: Level, standing: Collection[str], reasons: Mapping[str, object]) -> str:
    """What `level` needs and does not stand, each with its reason."""
    missing = [wall for wall in WALLS if wall in NEEDED[level] and wall not in standing]
    return "; ".join(f"{wall} is missing ({reasons.get(wall) or NOT_ASKED})" for wall in missing)
