"""Forks a process that has loaded what a zygote loads, and prints the ms from each fork to its first byte."""

import gc
import json
import os
import sys
import time

import cloudpickle  # noqa: F401 - loaded, as a zygote has it
import gunicorn.arbiter  # noqa: F401 - the same


def main(count: int) -> None:
    """Fork so often, one after the other."""
    gc.disable()
    gc.freeze()
    print(json.dumps([fork_once() for _ in range(count)]))


def fork_once() -> float:
    """How many ms until a child has said something."""
    ours, theirs = os.pipe()
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        os.write(theirs, b"1")
        os._exit(0)
    os.read(ours, 1)
    after = (time.perf_counter() - begun) * 1000
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
    return after


if __name__ == "__main__":
    main(int(sys.argv[1]))
