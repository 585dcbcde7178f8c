"""Reads what pickles would import, without importing or running any of it."""

import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .pickle_findings import Findings
from .pickle_machine import scan_stream
from .pickle_opcodes import PickleFaultError, Source
from .pickle_streams import STARTS, open_streams, starts_a_pickle

SUFFIXES = (".pkl", ".pickle", ".cloudpickle", ".joblib", ".sav")
MOST_FILES = 100
MOST_IN_ONE = 1000
MOST_OPCODES = 2_000_000  # about two seconds; an array is a few opcodes, whatever its size
MOST_SECONDS = 1.0
OF_PYTHON = sys.stdlib_module_names | {"__builtin__", "copy_reg", "__main__"}
BROKEN = "is compressed, and broken"


@dataclass(frozen=True)
class PickleReport:
    """What stands in one file; names read `sklearn.svm._classes.SVC`.

    `calls` are those of its imports that are called with arguments when it is loaded. `versions` are those
    that it tells of the distributions it was made with, `python` those whose byte code is in it. `fault` says
    why no more of it was read.
    """

    protocol: int = 0
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    python: tuple[str, ...] = ()
    fault: str | None = None

    def __str__(self) -> str:
        tops = dict.fromkeys(name.partition(".")[0] for name in self.foreign)
        needed = [f"{top} {self.sklearn}" if self.sklearn and top == "sklearn" else top for top in tops]
        return ", ".join(needed) or "nothing but Python"

    @property
    def foreign(self) -> tuple[str, ...]:
        """What it imports beyond Python itself."""
        return tuple(name for name in self.imports if name.partition(".")[0] not in OF_PYTHON)

    @property
    def sklearn(self) -> str | None:
        """The scikit-learn that it was made with, if it tells."""
        return dict(self.versions).get("scikit-learn")

    @property
    def needs_sklearn(self) -> bool:
        """Whether any object in it is scikit-learn's."""
        return any(name.startswith("sklearn.") for name in self.imports)


def find_pickles(folder: Path, most: int = MOST_FILES) -> Iterator[Path]:
    """The first `most` pickles below `folder`, told by their suffix or first bytes."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and _is_pickle(path))
    return islice(found, most)


def _is_pickle(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or starts_a_pickle(path)


def inspect_pickle(path: Path, seconds: float = MOST_SECONDS) -> PickleReport:
    """What can be read of a file in so many seconds, also when it is no pickle; raises OSError."""
    findings = Findings(MOST_OPCODES)
    until = time.process_time() + seconds
    fault = None
    try:
        with open_streams(path) as streams:
            for _, stream in streams:
                _scan_all(Source(stream, until), findings)
    except PickleFaultError as error:
        fault = str(error)
    except (EOFError, zlib.error):
        fault = BROKEN
    except OSError as error:
        if error.errno is not None:
            raise
        fault = BROKEN  # what gzip and bz2 say of it
    except MemoryError:
        fault = "needs more memory to be read than a look into it may take"
    except Exception as error:  # noqa: BLE001 - each way to compress has errors of its own
        fault = f"cannot be read ({type(error).__name__})"
    return PickleReport(
        findings.protocol,
        tuple(findings.imports),
        tuple(findings.calls),
        tuple(findings.versions.items()),
        tuple(findings.python),
        fault,
    )


def _scan_all(source: Source, findings: Findings) -> None:
    """The first pickle, and those that follow it."""
    for _ in range(MOST_IN_ONE):
        scan_stream(source, findings)
        if source.peek() not in STARTS:
            return
    raise PickleFaultError(f"holds more than {MOST_IN_ONE} pickles; the others are not known")
