"""How many connections there may be, and how slow they."""

import resource
from dataclasses import dataclass

from conf.limits import Limits

IDLE_TIME = 75.0
LEAST_RATE = 1024
"""Bytes per second on average: of a body once it has been under way for as long as a head may be, and of an
answer that is no stream once it has been for as long as a caller may take nothing."""
SPARE_FILES = 512
"""Descriptors for instances, databases and brokers."""


@dataclass(frozen=True)
class Bounds:
    """Numbers of connections, and seconds (`conf/limits.py` says of what)."""

    connections: int
    per_peer: int
    header_time: float
    body_time: float
    write_time: float
    idle_time: float = IDLE_TIME


def bounds_of(limits: Limits) -> Bounds:
    """Those of the config, as far as the process may open files."""
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = limits.connections
    if open_files != resource.RLIM_INFINITY:
        most = min(most, max(open_files - SPARE_FILES, open_files // 2))
    return Bounds(
        connections=most,
        per_peer=limits.connections_per_peer,
        header_time=limits.header_time,
        body_time=limits.body_time,
        write_time=limits.write_time,
    )
