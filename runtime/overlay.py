"""The folders that bring gunicorn and cloudpickle into a function's interpreter, installed nowhere."""

import compileall
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

PARTS = {"arbiter": "gunicorn", "pickle": "cloudpickle"}
STAGING = ".building-"


@dataclass(frozen=True)
class Overlay:
    """`arbiter` holds gunicorn and leaves the path once imported; `pickle` holds cloudpickle and stays."""

    arbiter: Path
    pickle: Path


def prepare_overlay(folder: Path) -> Overlay:
    """Copy both packages below `folder`, once per pair of versions; raises OSError.

    The folder belongs to one host: what a crash has left half built there is deleted.
    """
    for left in folder.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    versions = "-".join(f"{name}-{importlib.metadata.version(name)}" for name in PARTS.values())
    target = folder / versions
    if not target.is_dir():
        _build(folder, target)
    return Overlay(target / "arbiter", target / "pickle")


def _build(folder: Path, target: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder, prefix=STAGING))
    for part, name in PARTS.items():
        shutil.copytree(_package_folder(name), staging / part / name)
    # Functions may run as another user, who cannot write the byte code himself; what came with it is kept.
    compileall.compile_dir(staging, quiet=1)
    staging.chmod(0o755)
    # After a power failure the folder's name must not be there without what is in it.
    os.sync()
    try:
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging)
        if not target.is_dir():
            raise


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {name} is not installed beside fnhost")
    return Path(spec.origin).parent
