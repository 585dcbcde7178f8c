"""The processes of subinterpreters that take more functions, and what they are all started with."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runtime.spec import PoolSpec, ScaleRule

if TYPE_CHECKING:
    from runtime.sharing.shared_process import SharedProcess

# Not a name that a function may have.
FUNCTION = "+subinterpreters"
MOST_OPENED = 64
"""Subinterpreters that one process makes in all: its descriptors and threads are bounded."""


class Likeness(NamedTuple):
    """What functions must have in common to share a process, since its box is that of all.

    `apart` is empty, or the label of the only one.
    """

    python: Path
    network: bool
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    apart: str = ""


@dataclass
class Register:
    """The open processes by what their functions have in common.

    Every one of them may see all `reads` and write below `home`, where each function has a folder: a box
    cannot be widened for functions that come later.
    """

    home: Path = Path(os.sep)
    reads: tuple[Path, ...] = ()
    open: "dict[Likeness, SharedProcess]" = field(default_factory=dict)
    _started: int = 0

    def next_spec(self, likeness: Likeness) -> PoolSpec:
        """What one more process is started with."""
        self._started += 1
        return PoolSpec(
            function=FUNCTION,
            revision=self._started,
            sha256="",
            python=likeness.python,
            package_dir=likeness.python.parent,
            output_dir=self.home,
            network=likeness.network,
            reads=self.reads + likeness.reads,
            writes=likeness.writes,
            isolation="subinterpreter",
            preload=False,
            scale=ScaleRule(max=MOST_OPENED),
        )

    def close(self, process: "SharedProcess") -> None:
        """It takes no more functions."""
        for likeness in [each for each, known in self.open.items() if known is process]:
            del self.open[likeness]
