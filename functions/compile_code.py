"""Writes byte code beside the Python files below folders, as a program of its own that runs none of them."""

import compileall
import resource
import sys

MEMORY = 1024**3
CPU_SECONDS = 60

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for folder in sys.argv[1:]:
        compileall.compile_dir(folder, quiet=2)
