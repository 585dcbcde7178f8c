"""Finds what a package imports and nothing provides, without running any of it."""

import ast
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from functions.errors import PackageError

LONGEST_SOURCE = 4 * 1024 * 1024
MOST_SOURCES = 2_000
REQUIREMENT_NAME = re.compile(r"[A-Za-z0-9._-]+")
PROVIDED = {"cloudpickle", "pyboot"}  # by the instance, and as the older program's name of the package itself
DISTRIBUTIONS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "google": "protobuf",
    "jwt": "PyJWT",
    "MySQLdb": "mysqlclient",
    "paho": "paho-mqtt",
    "PIL": "pillow",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "snap7": "python-snap7",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
BRINGS = {
    "scikit-learn": ("numpy", "scipy", "joblib"),
    "pandas": ("numpy", "python-dateutil"),
    "scipy": ("numpy",),
    "lightgbm": ("numpy", "scipy"),
    "xgboost": ("numpy", "scipy"),
    "onnxruntime": ("numpy",),
    "opencv-python": ("numpy",),
}


@dataclass(frozen=True)
class MissingImport:
    """A module that is imported (`where` reads `index.py:3`) and the distribution that would provide it."""

    module: str
    distribution: str
    where: str


@dataclass(frozen=True)
class _Source:
    path: PurePosixPath
    text: bytes


def missing_imports(package: Path, requirements: Sequence[str]) -> list[MissingImport]:
    """What the package, a zip or a folder, imports beyond Python, its own modules and `requirements`.

    Each module is told once. Imports that the code itself can do without (in `try` with `except`) do not
    count. Raises PackageError or OSError for a package that cannot be read.
    """
    sources = list(_read_zip(package) if package.is_file() else _read_folder(package))
    named = {normal(match[0]) for line in requirements if (match := REQUIREMENT_NAME.match(line))}
    provided = named | {brought for name in named for brought in BRINGS.get(name, ())}
    known = sys.stdlib_module_names | PROVIDED | {part for each in sources for part in _own_names(each.path)}
    missing: dict[str, MissingImport] = {}
    for source in sources:
        for module, line in _imports(source):
            distribution = DISTRIBUTIONS.get(module, module)
            if module not in known and normal(distribution) not in provided:
                where = f"{source.path}:{line}"
                missing.setdefault(module, MissingImport(module, distribution, where))
    return sorted(missing.values(), key=lambda each: each.module)


def normal(name: str) -> str:
    """One spelling of a distribution's name for all that mean the same distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower().removesuffix("-headless")


def _own_names(path: PurePosixPath) -> Iterator[str]:
    yield path.stem
    yield from path.parts[:-1]


def _read_folder(folder: Path) -> Iterator[_Source]:
    if not folder.is_dir():
        raise PackageError(f"{folder} is neither a zip nor a folder; name one that is", str(folder))
    for path in sorted(folder.rglob("*.py"))[:MOST_SOURCES]:
        if path.is_file() and path.stat().st_size <= LONGEST_SOURCE:
            yield _Source(PurePosixPath(path.relative_to(folder).as_posix()), path.read_bytes())


def _read_zip(path: Path) -> Iterator[_Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in [each for each in archive.infolist() if each.filename.endswith(".py")][
                :MOST_SOURCES
            ]:
                with archive.open(entry) as file:
                    yield _Source(PurePosixPath(entry.filename), file.read(LONGEST_SOURCE))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise PackageError(
            f"{path.name} is not a zip that can be read; make one with `fnhost package DIR`", path.name
        ) from None


def _imports(source: _Source) -> Iterator[tuple[str, int]]:
    """The top-level name and the line of each absolute import."""
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # deploying tells what is wrong with the code
    optional = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in _guarded(node)}
    for node in ast.walk(tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno


def _guarded(node: ast.Try) -> Iterator[ast.AST]:
    for statement in node.body if node.handlers else []:
        yield from ast.walk(statement)
