"""Opens the zip that a user hands over as a package, and packs a folder into such a zip."""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conf.names import check_name
from functions.archive import DEFAULT_LIMITS, Limits, extract
from functions.errors import PackageError
from functions.input_schema import read_schema
from functions.manifest import MANIFEST_NAMES, Manifest, read_manifest
from functions.requirements import read_requirements
from functions.syntax import check_syntax

WHEELS = "wheels"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can say
FILE_MODE = (stat.S_IFREG | 0o644) << 16
SKIPPED = ("__MACOSX", "__pycache__")


@dataclass(frozen=True)
class Package:
    """A package unpacked in `root`, identified by the sha256 (hexadecimal) of its zip.

    Once its folder has moved, `dataclasses.replace(package, root=...)` tells it so. `default_name` is the
    manifest's name, else the name of the zip's single top folder where that is a function name.
    """

    sha256: str
    root: Path
    manifest: Manifest
    requirements: tuple[str, ...]
    default_name: str | None

    @property
    def wheels(self) -> Path | None:
        """The folder with the package's own wheels, if there are any: its environment is built offline."""
        folder = self.root / WHEELS
        return folder if any(folder.glob("*.whl")) else None


def open_package(source: Path, staging: Path, limits: Limits = DEFAULT_LIMITS) -> Package:
    """Unpack the zip `source` within `limits` into the new folder `staging`, and read what it says of itself.

    Nothing of the package is executed. Raises PackageError; then `staging` is gone.
    """
    extract(source, staging, limits)
    try:
        root = _find_root(staging)
        package = _read_package(root, sha256_of(source), None if root == staging else root.name)
        _flush(staging)
        return package
    except BaseException:
        shutil.rmtree(staging)
        raise


def read_stored(root: Path, sha256: str) -> Package:
    """The package that was unpacked in `root` before; raises PackageError."""
    return _read_package(root, sha256, None)


def _read_package(root: Path, sha256: str, folder_name: str | None) -> Package:
    manifest = _read_manifest(root)
    if (entry := _entry_file(root, manifest)) is not None:
        check_syntax(root, entry, manifest.python)
    for name, path in manifest.models.items():
        if not (root / path).exists():
            raise PackageError(
                f"the model {name!r} is to be {path!r}, which is not in the package: add it, or mend that",
                path,
            )
    if isinstance(manifest.input, str):
        manifest = manifest.model_copy(update={"input": read_schema(root, manifest.input)})
    requirements = (*read_requirements(root), *manifest.requirements)
    return Package(sha256, root, manifest, requirements, manifest.name or _function_name(folder_name))


def _find_root(staging: Path) -> Path:
    """The top of the zip or its single top folder, whichever holds the entry module or the manifest."""
    if _is_root(staging):
        return staging
    tops = sorted(path for path in staging.iterdir() if not _is_skipped(path.name))
    found = [path for path in tops if path.is_dir() and _is_root(path)]
    names = [f"{path.name}/{_root_marks(path)[0]}" for path in found]
    if not found:
        raise PackageError(
            "the zip has no index.py, neither at its top nor in a single top folder; add it", "index.py"
        )
    if len(found) > 1:
        raise PackageError(
            f"the zip has two candidates for its root, {names[0]} and {names[1]}; keep one", names[0]
        )
    if len(tops) > 1:
        other = next(path.name for path in tops if path != found[0])
        raise PackageError(
            f"{names[0]} is not at the top of the zip, and {other!r} lies beside its folder; "
            f"pack the contents of {found[0].name}/",
            names[0],
        )
    return found[0]


def _is_root(folder: Path) -> bool:
    return bool(_root_marks(folder))


def _root_marks(folder: Path) -> list[str]:
    return [name for name in ("index.py", *MANIFEST_NAMES) if (folder / name).is_file()]


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _read_manifest(root: Path) -> Manifest:
    present = [name for name in MANIFEST_NAMES if (root / name).is_file()]
    if len(present) > 1:
        raise PackageError(f"the package has both {present[0]} and {present[1]}; keep one", present[1])
    try:
        return read_manifest((root / present[0]).read_text("utf-8-sig") if present else "")
    except UnicodeDecodeError:
        raise PackageError(f"{present[0]} is not text in UTF-8; save it as such", present[0]) from None


def _entry_file(root: Path, manifest: Manifest) -> Path | None:
    """None where it may lie in the host's folders, which only the start of the pool can tell."""
    module = (manifest.handler or "index").partition(":")[0].replace(".", "/")
    for name in (f"{module}.py", f"{module}/__init__.py"):
        if (root / name).is_file():
            return root / name
    if manifest.python_path:
        return None
    raise PackageError(
        f"the package has no {module}.py, where its entry point is to be; add it", f"{module}.py"
    )


def _function_name(folder_name: str | None) -> str | None:
    try:
        return check_name(folder_name) if folder_name else None
    except ValueError:
        return None


def sha256_of(path: Path) -> str:
    """The sha256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(root: Path) -> None:
    """Have the package on disk before a revision that names it is committed."""
    for path in (root, *root.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def pack_folder(folder: Path, target: Path) -> None:
    """Write the contents of `folder` as the zip `target`; the same contents give the same bytes.

    Hidden files and `__pycache__` stay out. Raises PackageError that names a link which leaves the folder,
    a linked folder, a pipe or a device, and for a folder that can be no package, without `index.py`.
    """
    if not folder.is_dir():
        raise PackageError(f"{folder} is not a folder", str(folder))
    if not any(_is_root(each) for each in (folder, *folder.iterdir())):
        raise PackageError(
            f"{folder} has no index.py; write one, or make a new package with `fnhost init`", "index.py"
        )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder, folder.resolve()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on whatever system it is packed
            entry.external_attr = FILE_MODE
            entry.file_size = path.stat().st_size
            with path.open("rb") as file, archive.open(entry, "w") as out:
                shutil.copyfileobj(file, out)


def _files(folder: Path, base: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _is_skipped(path.name):
            continue
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(base)):
            raise PackageError(
                f"{path} is a link to a folder or out of the package; copy its target", path.name
            )
        if path.is_dir():
            yield from _files(path, base)
        elif path.is_file():
            yield path
        else:
            raise PackageError(f"{path} is not a plain file; remove it from the package", path.name)
