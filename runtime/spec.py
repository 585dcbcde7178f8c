"""Everything a pool needs to know of the revision it runs, decided before it starts."""

from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True)
class PoolSpec:
    """One revision, ready to run. Times are in seconds, sizes in bytes."""

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
    env: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    publish: tuple[str, ...] = ()
    idempotent: bool = False
    max_event: int = 6 * MIB
    max_result: int = 6 * MIB
    preload: bool = True
    min_instances: int = 1
    max_instances: int = 4

    @property
    def label(self) -> str:
        """`industry@3`."""
        return f"{self.function}@{self.revision}"
