"""Checks the audit log: whether every line is as it was written, and none is missing in between."""

from dataclasses import dataclass, replace
from pathlib import Path

from host.access.audit import DEEDS, REFUSALS
from host.access.sealed_log import START, Place, read_record, seal

MOST_FAULTS = 20


@dataclass(frozen=True)
class Chain:
    """What was found: `head` is the newest line's hash, which may be noted elsewhere; `faults` are sentences.

    `first` is the number of the oldest record that is kept: older ones were rotated away.
    """

    records: int
    first: int
    head: str
    faults: list[str]


def read_chain(folder: Path) -> Chain:
    """Go through all of the log in the state folder; reads up to 72 MiB. Raises OSError.

    Of the refusals, which are a chain of their own, only the faults are told.
    """
    deeds, refusals = (_read_chain(Place(folder, stem)) for stem in (DEEDS, REFUSALS))
    return replace(deeds, faults=[*deeds.faults, *refusals.faults][:MOST_FAULTS])


def _read_chain(place: Place) -> Chain:
    records, first, last = 0, 0, ""
    faults: list[str] = []
    for part in place.parts():
        for number, line in enumerate(part.read_bytes().splitlines(), 1):
            record = read_record(line)
            records += 1
            if record is None:
                faults.append(f"{part.name}, line {number}: it is no record")
                continue
            first = first or int(record["n"])
            before = last or (START if first == 1 else record["prev"])
            if seal(record) != record["hash"]:
                faults.append(f"{part.name}, line {number}: it was changed")
            if record["prev"] != before:
                faults.append(f"{part.name}, line {number}: what stood before it is missing or changed")
            last = str(record["hash"])
    return Chain(records, first, last or START, faults)
