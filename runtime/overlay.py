"""The folders that bring our worker, gunicorn and cloudpickle into a function's interpreter."""

import compileall
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import runtime.worker

PARTS = {"arbiter": "gunicorn", "pickle": "cloudpickle"}
WORKER = Path(runtime.worker.__file__).parent
STAGING = ".building-"
FOLDER_MODE, FILE_MODE = 0o755, 0o644


@dataclass(frozen=True)
class Overlay:
    """`arbiter` holds gunicorn and leaves the path once imported; `pickle` holds cloudpickle and stays.

    `worker` holds our own part. All may be read by every user, since functions run as users of their own.
    """

    arbiter: Path
    pickle: Path
    worker: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that an arbiter imports from beside the package's and its environment's."""
        return self.arbiter, self.pickle, self.worker


def prepare_overlay(folder: Path) -> Overlay:
    """Copy it all below `folder`, once for the same versions and the same code of ours; raises OSError.

    The folder belongs to one host: what a crash has left half built there is deleted, and older copies are.
    """
    target = folder / _identity()
    if not target.is_dir():
        _build(folder, target)
    for left in folder.iterdir():
        if left != target:
            shutil.rmtree(left, ignore_errors=True)
    return Overlay(target / "arbiter", target / "pickle", target / "worker")


def _identity() -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(f"{path.relative_to(WORKER)}\0".encode() + path.read_bytes() + b"\0")
    versions = [f"{name}-{importlib.metadata.version(name)}" for name in PARTS.values()]
    return "-".join([*versions, digest.hexdigest()[:16]])


def _sources() -> Iterator[Path]:
    return WORKER.rglob("*.py")


def _build(folder: Path, target: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder, prefix=STAGING))
    for part, name in PARTS.items():
        shutil.copytree(_package_folder(name), staging / part / name)
    shutil.copytree(WORKER, staging / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    # Functions may run as another user, who cannot write the byte code himself; what came with it is kept.
    compileall.compile_dir(staging, quiet=1)
    _open_to_all(staging)
    # After a power failure the folder's name must not be there without what is in it.
    os.sync()
    try:
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging)
        if not target.is_dir():
            raise


def _open_to_all(folder: Path) -> None:
    folder.chmod(FOLDER_MODE)
    for path in folder.rglob("*"):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {name} is not installed beside fnhost: pip install {name}")
    return Path(spec.origin).parent
