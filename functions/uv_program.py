"""Finds the uv that builds environments: the one installed beside fnhost, whatever the PATH says."""

import sys

from functions.errors import BuildError


def find_uv() -> str:
    """The path of uv's program. Raises BuildError where its package is gone, or lacks it."""
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise BuildError(
            f"uv, which builds environments, is missing beside fnhost; {sys.executable} -m pip install uv"
        ) from None
