"""What the exit codes of `fnhost` mean, and how a command fails."""

from enum import IntEnum

import click


class Exit(IntEnum):
    """Exit codes by cause, so that scripts can tell what to do next."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    REFUSED = 5
    UNAVAILABLE = 6
    BUG = 70


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILED: "the function failed, or what was checked has faults",
    Exit.USAGE: "wrong usage or config, or no token that allows it",
    Exit.UNREACHABLE: "no host answers",
    Exit.NOT_FOUND: "the host knows no such thing",
    Exit.REFUSED: "package or deploy refused",
    Exit.UNAVAILABLE: "busy, unavailable or too late: try again",
    Exit.BUG: "fnhost failed where it should not",
}
"""What `fnhost --help` and docs/operations.md say of each."""

BY_STATUS = {
    401: Exit.USAGE,
    403: Exit.USAGE,
    404: Exit.NOT_FOUND,
    429: Exit.UNAVAILABLE,
    503: Exit.UNAVAILABLE,
    504: Exit.UNAVAILABLE,
}


class CommandError(click.ClickException):
    """Ends the command with one sentence on stderr and an exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it from the instance
