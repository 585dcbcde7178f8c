"""Packs a folder into the zip that a host takes, with its wheels where they are wanted."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from conf.models import Config
from functions.archive import Limits
from functions.errors import PackageError
from functions.package import SKIPPED, WHEELS, Package, open_package, pack_folder, read_stored
from host.authoring.examination import check_size
from host.authoring.faults import AuthoringError, RefusedPackageError
from host.authoring.foresight import base_for
from host.authoring.private_host import name_of
from host.authoring.wheels import WheelOrder, fetch_wheels
from host.full_disk import is_out_of_room, tell_full, tell_scratch

MOST_NAMED = 5
MIB = 1024 * 1024


@dataclass(frozen=True)
class PackOrder:
    """A folder, the zip to write, whether wheels come with it, and the config whose limits hold."""

    folder: Path
    target: Path
    with_wheels: bool
    config: Config


@dataclass(frozen=True)
class Packed:
    """The zip: its sha256 (hexadecimal), its size in bytes, its files and which of them are wheels."""

    sha256: str
    size: int
    files: int
    wheels: tuple[str, ...]


def pack(order: PackOrder, log: Callable[[str], None]) -> Packed:
    """Write the zip; one that is there already is replaced once the new one is known to be good.

    Raises RefusedPackageError for what a host would not take, and AuthoringError.
    """
    if order.target.resolve().is_relative_to(order.folder.resolve()):
        raise AuthoringError(f"{order.target} lies inside of the package; name another place with -o")
    with TemporaryDirectory(prefix="fnhost-") as temporary:
        scratch = Path(temporary)
        try:
            folder = _with_wheels(order, scratch, log) if order.with_wheels else order.folder.resolve()
            zipped = scratch / "package.zip"
            pack_folder(folder, zipped)
            packed = _check(zipped, folder, scratch, order.config)
            _put(zipped, order.target)
        except PackageError as error:
            raise RefusedPackageError(str(error)) from None
        except OSError as error:
            raise AuthoringError(tell_scratch(error)) from None
    return packed


def _with_wheels(order: PackOrder, scratch: Path, log: Callable[[str], None]) -> Path:
    """A copy of the folder with a wheel for each of its requirements."""
    copy = scratch / "package"
    shutil.copytree(order.folder, copy, symlinks=True, ignore=_left_out)
    package = read_stored(copy, "")
    base = base_for(package, name_of(order.folder), order.config)
    requirements = (*package.requirements, *base.requirements)
    if requirements:
        python = package.manifest.python or base.python
        fetch_wheels(WheelOrder(requirements, python, package.wheels, copy / WHEELS), log)
    return copy


def _left_out(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.startswith(".") or name in SKIPPED}


def _check(zipped: Path, folder: Path, scratch: Path, config: Config) -> Packed:
    try:
        check_size(zipped, config)
        package = open_package(zipped, scratch / "opened", Limits.of(config.limits))
    except PackageError as error:
        raise PackageError(f"{error}{_biggest(folder, config)}", error.entry) from None
    files = sum(path.is_file() for path in package.root.rglob("*"))
    return Packed(package.sha256, zipped.stat().st_size, files, _wheels(package))


def _wheels(package: Package) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in package.wheels.glob("*.whl"))) if package.wheels else ()


def _biggest(folder: Path, config: Config) -> str:
    """Its biggest files, where the whole is too large to be taken."""
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if _is_packed(path, folder)}
    limits = config.limits
    if sum(sizes.values()) <= min(limits.package, limits.unpacked):
        return ""
    first = sorted(sizes, key=lambda path: (-sizes[path], path))[:MOST_NAMED]
    told = ", ".join(f"{path.relative_to(folder)} ({sizes[path] / MIB:.1f} MiB)" for path in first)
    return f"; its biggest files are {told}"


def _is_packed(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return path.is_file() and not any(part.startswith(".") or part in SKIPPED for part in parts)


def _put(zipped: Path, target: Path) -> None:
    beside = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(zipped, beside)
        os.replace(beside, target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        if is_out_of_room(error):
            raise AuthoringError(f"{tell_full(target.absolute().parent)}, or name a place with -o") from None
        raise AuthoringError(
            f"{target} cannot be written ({error.strerror}); name another place with -o"
        ) from None
