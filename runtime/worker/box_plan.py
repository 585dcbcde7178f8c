"""What the host has decided about one pool's box; it crosses to the arbiter as part of its first message."""

from collections.abc import Mapping
from typing import NamedTuple

Report = Mapping[str, str | None]
"""What an arbiter says of the walls that its plan asks for: None for one that stands, else why it does not.

The names: no_new_privs, limits, namespace, landlock, uid, seccomp.
"""


class BoxPlan(NamedTuple):
    """Which walls to put up. Sizes are in bytes; None and False: without that wall.

    `uid` is also the group's number. `memory` limits the private data of each process, `file_size` each file
    that is written, `processes` what runs under `uid` at a time, threads included. `landlock` lets only
    `reads` be read and executed and only `writes` be written and read; each is a file or a folder with all
    below it (so /proc/self is the arbiter's alone). `network` is False where no socket may be opened but
    pairs of Unix sockets, `namespace` adds an own network namespace. Instances may start no process of their
    own unless `forks` says so.
    """

    uid: int | None = None
    landlock: bool = False
    seccomp: bool = False
    network: bool = True
    namespace: bool = False
    forks: bool = True
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    memory: int | None = None
    file_size: int | None = None
    open_files: int = 1024
    processes: int | None = None

    def standing(self, report: Report) -> "BoxPlan":
        """The plan without the walls that could not be put up."""
        stands = {name: why is None for name, why in report.items()}
        return self._replace(
            landlock=stands.get("landlock", False),
            seccomp=stands.get("seccomp", False),
            namespace=stands.get("namespace", False),
        )
