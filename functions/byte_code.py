"""Has a package's byte code written when it is deployed, so that no cold start waits for the compiler."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from functions import compile_code
from functions.child import run_child

TIME_LIMIT = 60.0


async def write_byte_code(python: Path, folders: Iterable[Path]) -> None:
    """Compile what lies below `folders` with the interpreter that will import it, as far as that goes.

    A file that does not compile is left: its import says more about it. Where nothing can be written, cold
    starts take longer.
    """
    with contextlib.suppress(OSError):
        await run_child(python, [compile_code.__file__, *map(str, folders)], TIME_LIMIT)
