"""Explains why a pickled model of scikit-learn cannot be read by the version that is installed."""

import dis
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

from .failures import LoadError
from .pickles import PickleReport, find_pickles, inspect_pickle

OLDEST_INSTALLABLE = (1, 1, 3)  # the first release with wheels for Python 3.11
LONGEST_REASON = 200


def explain_model(error: Exception, path: str, package_dir: str) -> LoadError | None:
    """What to do about a model file that failed to load; None when it is not for its scikit-learn."""
    file, folder = Path(path), Path(package_dir)
    report = inspect_pickle(file)
    installed = _installed()
    if not report.needs_sklearn or (report.sklearn == installed and not _is_of_sklearn(error)):
        return None
    shown = str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
    return _explain(error, shown, report, installed)


def explain_package(error: Exception, package_dir: str) -> LoadError | None:
    """The same when the package read the file by itself, which only the error's origin tells."""
    folder = Path(package_dir)
    installed = _installed()
    if installed is None or not _is_of_sklearn(error) or _is_import_statement(error.__traceback__):
        return None
    for file, report in _reports(find_pickles(folder)):
        if report.needs_sklearn and report.sklearn != installed:
            return _explain(error, str(file.relative_to(folder)), report, installed)
    return None


def _reports(files: Iterable[Path]) -> Iterable[tuple[Path, PickleReport]]:
    return ((file, inspect_pickle(file)) for file in files)


def _installed() -> str | None:
    try:
        return version("scikit-learn")
    except PackageNotFoundError:
        return None


def _is_of_sklearn(error: Exception) -> bool:
    missing = str(getattr(error, "name", None) or "")
    if f"{missing}.".startswith("sklearn.") or "<module 'sklearn" in str(error):
        return True
    return any(_is_in_sklearn(entry) for entry in _entries(error.__traceback__))


def _is_in_sklearn(entry: TracebackType) -> bool:
    # Compiled modules tell a path without its beginning: `sklearn/tree/_tree.pyx`.
    return "/sklearn/" in f"/{entry.tb_frame.f_code.co_filename}"


def _entries(trace: TracebackType | None) -> Iterable[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_import_statement(trace: TracebackType | None) -> bool:
    """Whether scikit-learn was reached by an `import` of the package's code rather than by a pickle."""
    last = None
    for entry in _entries(trace):
        if _is_in_sklearn(entry):
            break
        last = entry
    if last is None:
        return False
    opcode = last.tb_frame.f_code.co_code[last.tb_lasti]
    return dis.opname[opcode].startswith("IMPORT_")


def _explain(error: Exception, file: str, report: PickleReport, installed: str | None) -> LoadError:
    made = f"scikit-learn {report.sklearn}" if report.sklearn else "a scikit-learn that it does not tell"
    if installed is None:
        pin = f"scikit-learn=={report.sklearn}" if _can_be_installed(report.sklearn) else "scikit-learn"
        return LoadError(
            f"{file} was made with {made}, and none is installed: add {pin} to requirements.txt", file
        )
    pinned = (
        f", pin scikit-learn=={report.sklearn} in requirements.txt,"
        if _can_be_installed(report.sklearn) and report.sklearn != installed
        else ""
    )
    reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
    return LoadError(
        f"{file} was made with {made}, and the installed {installed} cannot read it ({reason}). "
        f"Train and export it again with {installed}{pinned} or export it to ONNX",
        file,
    )


def _can_be_installed(told: str | None) -> bool:
    numbers = [int(part) for part in (told or "").split(".")[:3] if part.isdecimal()]
    return tuple(numbers) >= OLDEST_INSTALLABLE
