"""Tells how deep a JSON text is nested before anything is built of it."""

BRACKETS = bytes.maketrans(b"{}", b"[]")
OTHERS = bytes(byte for byte in range(256) if byte not in b'[]{}"')


def is_deeper(text: bytes, limit: int) -> bool:
    """Whether lists and mappings lie within each other more than `limit` deep.

    It takes no recursion, and two searches for a text with few brackets; of what is no JSON it says either.
    """
    if len(text) <= 2 * limit or text.count(b"[") + text.count(b"{") <= limit:
        return False
    rest = _outline(text)
    depth = 0
    # Each round takes the innermost pairs away.
    while depth <= limit and len(shorter := rest.replace(b"[]", b"")) < len(rest):
        rest = shorter
        depth += 1
    return depth + rest.count(b"[") > limit


def _outline(text: bytes) -> bytes:
    """The brackets outside of strings, all of one kind."""
    without_escapes = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes side by side change nothing for what follows: most strings go with them.
    rest = without_escapes.translate(BRACKETS, OTHERS).replace(b'""', b"")
    return b"".join(rest.split(b'"')[::2]) if b'"' in rest else rest
