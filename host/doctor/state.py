"""Looks at the state folder: whose it is, who uses it, and whether its databases can be read."""

import os
import time
from pathlib import Path

from host.access.token_file import FILE, AccessFileError, read_rows
from host.doctor.databases import check_databases
from host.doctor.disk import nearest
from host.doctor.findings import Case, Finding, Section, conclude
from host.doctor.processes import lock_holder, name_of
from host.state import StateError, check_owner
from host.state_entries import misplaced, move_aside

WHY = "all that the host keeps is in it"
ELSEWHERE = "choose another folder with --state"


def check_state(case: Case) -> Section:
    """The folder; then, where it can be looked into, its user and its databases."""
    root = case.settings.state_dir
    if (fault := _unusable(root)) is not None:
        return conclude("state", [fault])
    if not root.exists():
        return conclude("state", [Finding("folder", "ok", f"{root} will be made: no host has used it yet")])
    if faults := [_misplaced(entry, fault) for entry, fault in misplaced(root)]:
        return conclude("state", [*faults, *_user(root)])
    findings = [_open_to_others(root), *_user(root), *_tokens(root), *check_databases(root)]
    return conclude("state", findings)


def _misplaced(entry: Path, fault: str) -> Finding:
    why = "the host cannot open it, and does not start"
    return Finding(entry.name, "fault", f"{entry} {fault}", why, f"{move_aside(entry)}, or {ELSEWHERE}")


def _unusable(root: Path) -> Finding | None:
    try:
        check_owner(root)
    except StateError as error:
        return Finding("folder", "fault", str(error), WHY, f"`sudo -u '#{root.stat().st_uid}' fnhost doctor`")
    folder = nearest(root)
    if not folder.is_dir():
        why = "a folder cannot take the place of a file"
        return Finding(
            "folder", "fault", f"{folder} is a file, and no folder", why, f"move it away, or {ELSEWHERE}"
        )
    if os.access(folder, os.W_OK | os.X_OK):
        return None
    owner, mode = folder.stat().st_uid, oct(folder.stat().st_mode & 0o777)[2:]
    told = f"{folder} cannot be written by this user ({os.geteuid()}): it is user {owner}'s, mode {mode}"
    return Finding("folder", "fault", told, WHY, _make_writable(root, owner))


def _make_writable(root: Path, owner: int) -> str:
    """Nothing that takes a folder away from whoever uses it."""
    if not root.exists():
        return f"`sudo install -d -o {os.geteuid()} {root}`, or {ELSEWHERE}"
    if owner == os.geteuid():
        return f"`chmod u+rwx {root}`, or {ELSEWHERE}"
    if _is_empty(root):
        return f"`sudo chown {os.geteuid()} {root}`, or {ELSEWHERE}"
    return f"{ELSEWHERE}, such as `--state ~/fnhost`"


def _is_empty(folder: Path) -> bool:
    try:
        return not os.listdir(folder)
    except OSError:  # nobody knows, so it is not for the taking
        return False


def _open_to_others(root: Path) -> Finding:
    found = root.stat()
    told = f"{root}, of user {found.st_uid}, mode {found.st_mode & 0o777:o}"
    if not found.st_mode & 0o022:
        return Finding("folder", "ok", told)
    why = "others can write to it, and take the place of what the host keeps, until it starts"
    return Finding("folder", "lack", told, why, f"`chmod 711 {root}`")


def _user(root: Path) -> list[Finding]:
    pid = lock_holder(root)
    if pid is None:
        return [Finding("in use", "ok", "no host uses it")]
    told = f"a host uses it: process {pid} ({name_of(pid)}); a second one would need a folder of its own"
    return [
        Finding(
            "in use", "ok", told, "one host at a time uses a folder", f"`kill {pid}` stops it; or {ELSEWHERE}"
        )
    ]


def _tokens(root: Path) -> list[Finding]:
    file = root / FILE
    if not file.exists():
        return []
    try:
        live = sum(row.is_live(time.time()) for row in read_rows(file).values())
    except AccessFileError as error:
        why = "the host does not start before it knows who may do what"
        return [Finding("tokens", "fault", f"{file} is damaged", why, str(error).rpartition("; ")[2])]
    return [Finding("tokens", "ok", f"{live} can be used")]
