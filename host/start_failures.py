"""Says in one sentence why the host cannot start, and what to do about it."""

import shutil
from pathlib import Path

from host.full_disk import is_out_of_room, tell_full


def explain_start(error: Exception, state: Path) -> str:
    """What ended the start of the host whose state folder is `state`, and the next thing to do."""
    for each in (error, error.__cause__):
        if each is not None and is_out_of_room(each):
            return f"{tell_full(state)}, or choose another folder with --state"
    if isinstance(error, shutil.Error):
        *_, why = error.args[0][0]
        return f"{state} cannot be used: {why}; `fnhost doctor --state {state}` looks into it"
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        told = error.strerror or error
        return f"the host cannot start:{where} {told}; `fnhost doctor --state {state}` looks into it"
    return str(error)
