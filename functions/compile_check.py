"""Compiles one source file, as a program of its own, and prints its first fault as JSON (or null)."""

import json
import resource
import sys
from pathlib import Path

MEMORY = 1024**3
CPU_SECONDS = 15


def find_fault(source: bytes) -> dict[str, object] | None:
    """Line (from 1, None when unknown) and message of what keeps `source` from compiling."""
    try:
        compile(source, "<source>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return {"line": error.lineno, "message": error.msg}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"line": None, "message": f"{type(error).__name__}: {error}"}
    return None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    print(json.dumps(find_fault(Path(sys.argv[1]).read_bytes())))
