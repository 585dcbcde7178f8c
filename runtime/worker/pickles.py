"""Reads what pickles would import, without importing or running any of it."""

import mmap
import pickletools
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

SUFFIXES = (".pkl", ".pickle", ".cloudpickle", ".joblib")
PROTOCOLS = tuple(bytes([0x80, number]) for number in range(2, 6))
MOST_FILES = 100
MOST_OPCODES = 200_000  # about half a second; an array is a few opcodes, whatever its size
VERSION_KEY = "_sklearn_version"
OF_PYTHON = sys.stdlib_module_names | {"__builtin__", "copy_reg", "__main__"}


@dataclass(frozen=True)
class PickleReport:
    """`imports` reads `sklearn.svm._classes.SVC`; `sklearn` is the version that it was made with, if told."""

    imports: tuple[str, ...]
    sklearn: str | None = None

    def __str__(self) -> str:
        tops = dict.fromkeys(name.partition(".")[0] for name in self.imports)
        needed = [f"{top} {self.sklearn}" if self.sklearn and top == "sklearn" else top for top in tops]
        return ", ".join(needed) or "nothing but Python"

    @property
    def needs_sklearn(self) -> bool:
        """Whether any object in it is scikit-learn's."""
        return any(name.startswith("sklearn.") for name in self.imports)


def find_pickles(folder: Path) -> Iterator[Path]:
    """The pickles below `folder`, told by their suffix or first bytes; no more than a hundred."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and _is_pickle(path))
    return islice(found, MOST_FILES)


def _is_pickle(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(2) in PROTOCOLS


def inspect_pickle(path: Path) -> PickleReport:
    """What can be read of a file, which is nothing when it is no pickle; raises OSError."""
    if not path.stat().st_size:
        return PickleReport(())
    scan = _Scan()
    # Mapped, since a hostile file may announce a string longer than the memory.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            for opcode, argument, _ in islice(pickletools.genops(cast(IO[bytes], data)), MOST_OPCODES):
                scan.read(opcode.name, argument)
        except (ValueError, OverflowError):
            pass  # joblib lays arrays between the opcodes: what stood before is what can be known
    return PickleReport(tuple(name for name in scan.imports if _is_foreign(name)), scan.sklearn)


def _is_foreign(name: str) -> bool:
    return name.partition(".")[0] not in OF_PYTHON


class _Scan:
    """Follows the strings of a pickle, since imports and versions are told by two of them in a row."""

    def __init__(self) -> None:
        self.imports: dict[str, None] = {}
        self.sklearn: str | None = None
        self._last: deque[str] = deque(["", ""], maxlen=2)
        self._top: str | None = None
        self._memo: dict[int, str] = {}
        self._memoized = 0

    def read(self, opcode: str, argument: object) -> None:
        """Go on by one opcode."""
        if opcode.endswith(("UNICODE", "UNICODE8", "STRING")):
            self._push(str(argument))
        elif opcode.endswith("GET"):
            self._push(self._memo.get(int(str(argument))))
        elif opcode.endswith("PUT") or opcode == "MEMOIZE":
            self._keep(self._memoized if argument is None else int(str(argument)))
        elif opcode == "STACK_GLOBAL":
            self.imports[".".join(self._last)] = self._top = None
        elif opcode in ("GLOBAL", "INST"):
            self.imports[str(argument).replace(" ", ".", 1)] = self._top = None
        elif opcode != "FRAME":
            self._top = None

    def _push(self, text: str | None) -> None:
        self._top = text
        if text is None:
            return
        if self._last[-1] == VERSION_KEY and self.sklearn is None:
            self.sklearn = text
        self._last.append(text)

    def _keep(self, place: int) -> None:
        self._memoized += 1
        if self._top is not None:
            self._memo[place] = self._top


def describe_pickles(folder: Path) -> list[str]:
    """A line for each pickle below `folder`: `model.pkl needs sklearn 1.7.2, numpy`."""
    return [f"{path.relative_to(folder)} needs {inspect_pickle(path)}" for path in find_pickles(folder)]
