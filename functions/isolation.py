"""Whether the Python that a package asks for can isolate it as it asks."""

import sys

from functions.errors import PackageError
from functions.manifest import MANIFEST_NAMES, Manifest

OLDEST = (3, 13)


def check_isolation(manifest: Manifest, python: str | None) -> None:
    """`python` is the version that the package will run with; None is the host's own. Raises PackageError."""
    found = python or ".".join(map(str, sys.version_info[:3]))
    if manifest.isolation == "subinterpreter" and tuple(map(int, found.split(".")[:2])) < OLDEST:
        raise PackageError(
            f"`isolation: subinterpreter` needs Python 3.13 or newer, but this package gets {found}; "
            'say `python: "3.13"`, or leave `isolation` out',
            MANIFEST_NAMES[0],
        )
