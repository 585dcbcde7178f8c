"""Digests as the config writes them, read strictly, since a digest that is guessed at protects nothing."""

import base64
import binascii
import re

MD5_BYTES = 16


def read_md5(text: str) -> bytes:
    """The 16 bytes of an MD5 digest in base64; ValueError for a wrong length or stray bits."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    # Python's decoder overlooks stray bits before the padding; written back they show.
    if len(digest) != MD5_BYTES or base64.b64encode(digest).decode() != text:
        raise ValueError(
            f"{text!r} is not an MD5 digest; write the base64 of its {MD5_BYTES} bytes, 24 characters"
            " (openssl md5 -binary FILE | base64)"
        )
    return digest


def read_sha256(text: str) -> bytes:
    """The 32 bytes of a sha256 in hexadecimal; raises ValueError for anything else."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(f"{text!r} is not a sha256; write its 64 hexadecimal digits (sha256sum FILE)")
    return bytes.fromhex(text)
