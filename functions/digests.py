"""Checks a file against the digests that were promised of it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from conf.digests import read_md5, read_sha256

Digests = Mapping[str, bytes]


def read_digests(md5: str | None, sha256: str | None) -> Digests:
    """The digests by the name of their algorithm; `md5` is in base64, `sha256` in hexadecimal.

    Raises ValueError for one that is written wrongly.
    """
    digests: dict[str, bytes] = {}
    if md5 is not None:
        digests["md5"] = read_md5(md5)
    if sha256 is not None:
        digests["sha256"] = read_sha256(sha256)
    return digests


def misfit(path: Path, digests: Digests) -> str | None:
    """How the file at `path` differs from what was promised, in words; None when it fits."""
    for algorithm, wanted in digests.items():
        with path.open("rb") as file:
            # MD5 is the older program's; whoever needs to withstand forgery gives a sha256, too.
            found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).digest()  # noqa: B023
        if not hmac.compare_digest(found, wanted):
            return f"its {algorithm} is {_write(algorithm, found)}, not {_write(algorithm, wanted)}"
    return None


def _write(algorithm: str, digest: bytes) -> str:
    return base64.b64encode(digest).decode() if algorithm == "md5" else digest.hex()
