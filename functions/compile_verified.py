"""Compiles sources into a folder of byte code by digest, as a program of its own that runs none of them.

`python -I -S compile_verified.py FOLDER` reads lines `DIGEST PATH` from its standard input. A source of
another digest is passed over, so what lies in the folder is what its name says.
"""

import hashlib
import importlib.util
import marshal
import os
import resource
import sys
from base64 import urlsafe_b64encode

MEMORY = 1024**3
CPU_SECONDS = 120
UNCHECKED = (1).to_bytes(4, "little")
"""A pyc file that is found by its source's digest need not be compared with it again (PEP 552)."""


def compile_source(digest: str, path: str) -> bytes | None:
    """The contents of the pyc file; None when the source has another digest or does not compile."""
    with open(path, "rb") as file:
        source = file.read()
    if urlsafe_b64encode(hashlib.sha256(source).digest()).decode().rstrip("=") != digest:
        return None
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)


def write_pyc(folder: str, digest: str, pyc: bytes) -> None:
    """Put it in place all at once."""
    staging = os.path.join(folder, f".{digest}.{os.getpid()}")
    with open(staging, "wb") as file:
        file.write(pyc)
        # The name promises the contents: they must be on disk before it, and nobody writes to them again.
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o444)
    os.replace(staging, os.path.join(folder, digest))


if __name__ == "__main__":
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for line in sys.stdin:
        name, _, source_path = line.rstrip("\n").partition(" ")
        if compiled := compile_source(name, source_path):
            write_pyc(sys.argv[1], name, compiled)
