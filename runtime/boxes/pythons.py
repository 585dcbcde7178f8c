"""Copies an interpreter to where functions' users can reach it: one in /root/.pyenv is nobody else's."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from runtime.boxes.reach import READ, find_barrier

STAGING = ".copying-"
NEEDLESS = ("test", "tests", "site-packages", "idlelib", "turtledemo", "config-*", "*.a")
"""Of a standard library: a venv has installed packages of its own, and nobody links against this copy."""
BESIDE_US = b"$ORIGIN/../lib"
READABLE, FOLDER_MODE = 0o644, 0o755


def find_reachable(python: Path, folder: Path, uid: int) -> Path:
    """`python`, or the copy of it below `folder`, which is made where `uid` cannot reach the original.

    Blocks for the second that the first copy takes. Raises OSError.
    """
    real = Path(os.path.realpath(python))
    prefix = real.parent.parent
    if not any(find_barrier(path, uid, READ) for path in (prefix, python.absolute())):
        return python
    status = real.stat()
    digest = hashlib.sha256(f"{real} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()
    target = folder / f"{real.name}-{digest[:12]}"
    if not target.is_dir():
        _copy(real, target)
    return target / "bin" / real.name


def _copy(real: Path, target: Path) -> None:
    target.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=STAGING))
    prefix = real.parent.parent
    (staging / "bin").mkdir()
    shutil.copy2(real, staging / "bin" / real.name)
    _relocate(staging / "bin" / real.name, prefix)
    for path in _libraries(prefix):
        place = staging / path.relative_to(prefix)
        place.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, place, copy_function=_link, ignore=shutil.ignore_patterns(*NEEDLESS))
            (place / "site-packages").mkdir(exist_ok=True)
        else:
            _link(str(path), str(place))
    _open_folders(staging)
    os.sync()
    staging.rename(target)


def _libraries(prefix: Path) -> Iterable[Path]:
    for name in ("lib", "lib64"):
        if not (prefix / name).is_symlink():
            yield from (path for path in (prefix / name).glob("python3*") if (path / "os.py").is_file())
            yield from (prefix / name).glob("libpython*.so*")


def _link(source: str, target: str) -> str:
    """A hard link, which takes no room; a copy where that cannot be, or would not be readable."""
    status = os.stat(source)
    if status.st_mode & READABLE == READABLE and status.st_uid == os.geteuid():
        try:
            os.link(source, target, follow_symlinks=True)
            return target
        except OSError:
            pass
    shutil.copy2(source, target)
    os.chmod(target, READABLE | status.st_mode & 0o111)
    return target


def _open_folders(folder: Path) -> None:
    folder.chmod(FOLDER_MODE)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(FOLDER_MODE)


def _relocate(binary: Path, prefix: Path) -> None:
    """Have the dynamic linker look for libpython beside the copy, as chrpath(1) does.

    The path of the original stands in the program as it was linked; one that is no longer takes its place.
    """
    old, content = os.fsencode(prefix / "lib") + b"\0", binary.read_bytes()
    if len(BESIDE_US) < len(old):
        binary.write_bytes(content.replace(b"\0" + old, b"\0" + BESIDE_US.ljust(len(old), b"\0")))
    binary.chmod(FOLDER_MODE)
