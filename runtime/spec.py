"""Everything a pool needs to know of the revision it runs, decided before it starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from runtime.worker.masks import Mask, make_byte_keep, make_mask

MIB = 1024 * 1024

Isolation = Literal["process", "subinterpreter"]


@dataclass(frozen=True)
class ScaleRule:
    """How many instances a pool may have, and how long an idle one keeps its memory.

    `target` is the share of an instance's time that is planned for work. After `idle` seconds without an
    event the last instances above `min` are retired (hot → warm), `keep_warm` seconds later the arbiter ends
    too (warm → cold). A function whose `min` is 1 or more stays hot.
    """

    min: int = 0
    max: int = 4
    target: float = 0.7
    idle: float = 60.0
    keep_warm: float = 600.0


@dataclass(frozen=True)
class BatchRule:
    """Up to `max_size` events in one `index_batch` call; the first may wait `max_wait` seconds for more."""

    max_size: int
    max_wait: float = 0.005


@dataclass(frozen=True)
class Bounds:
    """What the host allows to each function alike; sizes are in bytes, `log_rate` is of each second."""

    json_depth: int = 100
    queue_bytes: int = 64 * MIB
    frame: int = 16
    log_line: int = 16 * 1024
    log_invocation: int = MIB
    log_rate: int = MIB


@dataclass(frozen=True)
class PoolSpec:
    """One revision, ready to run. Times are in seconds, sizes in bytes.

    `python` is the environment's own interpreter, `interpreter` the one that it was made from. `memory`
    is what all its processes may take together, `cpu` the cores that an instance is planned with,
    `cpu_max` the cores that all may take together at most. Each instance may start `processes` of its
    own. `reads` and `writes` are what the config lets the function see beyond its own files.
    """

    function: str
    revision: int
    sha256: str
    python: Path
    package_dir: Path
    output_dir: Path
    handler: str | None = None
    python_path: tuple[str, ...] = ()
    accepts: str = "json"
    timeout: float = 30.0
    startup_timeout: float = 60.0
    concurrency: int = 1
    threads: int = 1
    queue: int = 1000
    memory: int | None = None
    cpu: float = 1.0
    cpu_max: float | None = None
    network: bool = True
    processes: int = 0
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    isolation: Isolation = "process"
    interpreter: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    models: dict[str, str] = field(default_factory=dict)
    publish: tuple[str, ...] = ()
    idempotent: bool = False
    max_event: int = 6 * MIB
    max_result: int = 6 * MIB
    preload: bool = True
    check_fork: bool = True
    scale: ScaleRule = ScaleRule()
    batch: BatchRule | None = None
    bounds: Bounds = Bounds()

    @property
    def program(self) -> Path:
        """What is started: not a file that belongs to the environment, where there is another."""
        return self.interpreter or self.python

    @property
    def places(self) -> int:
        """Calls that an instance runs at a time: of events, or of batches."""
        return 1 if self.batch else self.concurrency

    @property
    def label(self) -> str:
        """`industry@3`."""
        return f"{self.function}@{self.revision}"

    @property
    def fields(self) -> dict[str, object]:
        """What a record of the host's log says of it."""
        return {"function": self.function, "revision": self.revision}

    @cached_property
    def mask(self) -> Mask:
        """Blots the secrets out of a text."""
        return make_mask(self.secrets.values())

    @cached_property
    def keep(self) -> Callable[[bytes], int]:
        """How many bytes at the end of a text stay back when it is cut there, for a secret that goes on."""
        return make_byte_keep(self.secrets.values())
