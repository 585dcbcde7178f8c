"""A deploy as it is asked for: by whom, under which name, of which package."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from functions.base_set import BaseSet
from functions.package import Package
from functions.registry import Revision
from host.access.audit import HOST, Actor, Deed
from runtime.boxes.box import standing_walls
from runtime.boxes.walls import reached
from runtime.worker.box_plan import Report


@dataclass(frozen=True)
class Names:
    """What to call the function: the name asked for, else the manifest's, else the file's."""

    asked: str | None = None
    default: str | None = None


@dataclass(frozen=True)
class Orderer:
    """Who has a package deployed; `permit` raises for the name of a function that is not theirs."""

    actor: Actor = HOST
    permit: Callable[[str], None] = lambda name: None


@dataclass(frozen=True)
class Prepared:
    """A package that is sound, unpacked in a staging folder; its function's name, what the config adds.

    `actor` has it deployed.
    """

    name: str
    package: Package
    staging: Path
    base: BaseSet
    actor: Actor = HOST


BY_HOST = Orderer()


def tell_deed(prepared: Prepared, revision: Revision | None, walls: Report) -> Deed:
    """What the audit log tells of a deploy; without a revision it has failed.

    `walls` are those of the box that the function runs in, empty where they are not known.
    """
    name, digest = prepared.name, prepared.package.sha256
    if revision is None:
        return Deed("deploy", name, "failed", digest=digest)
    level = reached(standing_walls(walls)) if walls else ""
    return Deed("deploy", name, revision=f"{name}@{revision.number}", digest=digest, isolation=level)
