"""Looks at the disk of the state folder, and at what the folder takes of it."""

import os
from pathlib import Path

from conf.limits import Limits
from conf.quantities import say_size
from functions.disk_use import measure
from host.delivery import make_limits
from host.deployment.room import PARTS
from host.doctor.findings import Case, Finding, Section, conclude
from host.full_disk import NEEDED
from triggers.store.quota import LEAST_FREE

WHY_FULL = "the host cannot write its databases there"
WHY_USED = "nothing is deployed any more (`limits.disk`)"


def nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that there is."""
    return next(each for each in (path, *path.absolute().parents) if os.path.exists(each))


def check_disk(case: Case) -> Section:
    """How much is free, whether that is enough for events to be taken in, and what the host may take."""
    state, limits = case.settings.state_dir, case.settings.config.limits
    folder = nearest(state)
    disk = os.statvfs(folder)
    findings = [_free(folder, disk, limits), *_files(folder, disk)]
    if state.is_dir():
        findings.append(_used(state, limits.disk or disk.f_blocks * disk.f_frsize // 2))
    return conclude("disk", findings)


def _free(folder: Path, disk: os.statvfs_result, limits: Limits) -> Finding:
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    floor = min(make_limits(limits).min_free, int(size * LEAST_FREE))
    told = f"{say_size(free)} of {say_size(size)} are free on the disk of {folder}"
    if disk.f_flag & os.ST_RDONLY:
        remedy = f"`mount -o remount,rw $(stat -c %m {folder})`, or choose another folder with --state"
        return Finding("free", "fault", f"the disk of {folder} is read-only", WHY_FULL, remedy)
    if free < NEEDED:
        return Finding("free", "fault", f"the disk is full: {told}", WHY_FULL, _make_room(folder))
    if free < floor:
        why = f"events are kept on it only while {say_size(floor)} are free (`limits.min_free`)"
        return Finding("free", "lack", f"the disk is nearly full: {told}", why, _make_room(folder))
    return Finding("free", "ok", told)


def _files(folder: Path, disk: os.statvfs_result) -> list[Finding]:
    """Some file systems have no fixed number of files, and say 0."""
    if not disk.f_files or disk.f_favail > 0:
        return []
    told = f"the disk of {folder} has no room for one more file, however small"
    return [Finding("files", "fault", told, WHY_FULL, _make_room(folder))]


def _make_room(folder: Path) -> str:
    return f"free some of it (`du -xhd 2 {folder} | sort -h | tail`), or choose another folder with --state"


def _used(state: Path, most: int) -> Finding:
    used = sum(measure(str(state), list(PARTS)).values())
    told = f"packages, environments, logs and output take {say_size(used)} of the {say_size(most)} they may"
    if used <= most:
        return Finding("used", "ok", told)
    return Finding(
        "used", "lack", told, WHY_USED, "`fnhost remove NAME`, or write a larger `limits: {disk: …}`"
    )
