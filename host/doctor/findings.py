"""What a look at the machine finds, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from conf.faults import ConfigError
from conf.settings import Settings

State = Literal["ok", "lack", "fault"]
"""All is well; the host starts and does less; the host would refuse to start."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and unless it is ok why it matters and how to mend it."""

    name: str
    state: State
    what: str
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Case:
    """What is to be looked at, and by which surroundings.

    `settings` are those without the config file where that is `refused`; `clock` tells seconds since the
    epoch.
    """

    settings: Settings
    env: Mapping[str, str]
    refused: ConfigError | None
    clock: Callable[[], float]


@dataclass(frozen=True)
class Section:
    """What one check found; `verdict` is a sentence, and `sound` whether the host would start."""

    section: str
    verdict: str
    sound: bool
    findings: list[Finding]


def conclude(section: str, findings: list[Finding], verdict: str = "") -> Section:
    """The section with its verdict; without one, how many things are to be mended."""
    faults = sum(each.state == "fault" for each in findings)
    lacks = sum(each.state == "lack" for each in findings)
    counted = f"{faults} to be mended before the host starts" if faults else f"{lacks} to be known of"
    return Section(section, verdict or (counted if faults or lacks else "all is well"), not faults, findings)
