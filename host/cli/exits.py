"""What the exit codes of `fnhost` mean, and how a command fails."""

from enum import IntEnum

import click


class Exit(IntEnum):
    """Exit codes by cause, so that scripts can tell what to do next.

    0 the command did what it says; 1 the function failed: it raised, died, did not take the event or
    answered with an HTTP status from 400 on; or `config check` found problems, or `doctor` that the host
    would not start; 2 wrong usage or config, or no
    token that allows it; 3 no host can be reached; 4 the host knows no such function or dead letter; 5 the
    package or its deploy was refused; 6 the host is busy, unavailable or too late: try again.
    """

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    REFUSED = 5
    UNAVAILABLE = 6


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
