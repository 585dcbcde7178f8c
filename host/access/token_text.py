"""How a token reads: `fnh_`, 256 random bits in base 62, and check digits by which a scanner knows a leak."""

import hashlib
import secrets
import string
import zlib

PREFIX = "fnh_"
RANDOM_BYTES = 32
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_DIGITS, CHECK_DIGITS = 43, 6
"""62^43 > 2^256, and 62^6 > 2^32 (the check is a CRC-32, as in GitHub's tokens)."""


def make_token() -> str:
    """A token that nobody can guess."""
    drawn = _in_base_62(int.from_bytes(secrets.token_bytes(RANDOM_BYTES)), RANDOM_DIGITS)
    return PREFIX + drawn + _check(drawn)


def is_well_formed(text: str) -> bool:
    """Whether it can be a token: its check digits fit."""
    drawn, check = text[len(PREFIX) : -CHECK_DIGITS], text[-CHECK_DIGITS:]
    whole = len(text) == len(PREFIX) + RANDOM_DIGITS + CHECK_DIGITS
    return whole and text.isascii() and text.startswith(PREFIX) and check == _check(drawn)


def digest_of(token: str) -> str:
    """What is kept of a token. Plain SHA-256 is enough, since nobody can try 2^256 tokens; a slow hash is
    for passwords, and would let anybody keep the host busy."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _check(drawn: str) -> str:
    return _in_base_62(zlib.crc32(drawn.encode()), CHECK_DIGITS)


def _in_base_62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, len(DIGITS))
        digits.append(DIGITS[rest])
    return "".join(reversed(digits))
