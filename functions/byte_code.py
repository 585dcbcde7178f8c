"""Has a package's byte code written when it is deployed, so that no cold start waits for the compiler."""

import contextlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from functions import compile_code

TIME_LIMIT = 60.0


def write_byte_code(python: Path, folders: Iterable[Path]) -> None:
    """Compile what lies below `folders` with the interpreter that will import it, as far as that goes.

    A file that does not compile is left: its import says more about it. Where nothing can be written, cold
    starts take longer.
    """
    command = [str(python), "-I", "-S", "-W", "ignore", compile_code.__file__, *map(str, folders)]
    with contextlib.suppress(subprocess.SubprocessError, OSError):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIME_LIMIT,
            check=False,
            env={},
        )
