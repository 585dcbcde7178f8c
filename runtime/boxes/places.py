"""What a boxed process may read and write: its own files, and what every program on Linux looks at."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/nix/store", "/gnu/store")
ETC = (
    "alternatives",
    "ca-certificates",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
"""Looked up by the C library, Python's own modules and TLS; nothing in them is secret."""
KERNEL = ("/proc", "/sys/devices/system")
"""Whom a process may look into there is decided by its user and by Landlock's own scope."""
DEVICES = ("/dev/full", "/dev/random", "/dev/urandom", "/dev/zero")
DISCARD = "/dev/null"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the kernel's, not a folder of ours
"""Semaphores of multiprocessing lie there: only for functions that may start processes."""


@lru_cache(1)
def system_reads() -> tuple[str, ...]:
    """What every function may read of this machine, with what symbolic links among it lead to."""
    wanted = [*SYSTEM, *(f"/etc/{name}" for name in ETC), *KERNEL, *DEVICES]
    return tuple(dict.fromkeys(each for path in wanted for each in _with_target(path)))


def _with_target(path: str) -> Iterator[str]:
    if os.path.exists(path):
        yield path
        yield os.path.realpath(path)


def interpreter_reads(python: Path, interpreter: Path) -> tuple[Path, ...]:
    """The folders of an interpreter: its venv where it has one, and the installation behind that."""
    venv, prefix = python.parent.parent, Path(os.path.realpath(interpreter)).parent.parent
    # That of /bin/python is the root folder, of which the system's list has what is needed.
    installation = (prefix,) if prefix != Path("/") else ()
    return (venv, *installation) if (venv / "pyvenv.cfg").is_file() else installation
