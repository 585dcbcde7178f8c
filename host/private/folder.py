"""A folder of a command's own, which is gone when the command is over."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REMOVALS = 20


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """A new folder below the system's one for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """More than once if need be: processes that are just being killed may still write into it."""
    for _ in range(REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
