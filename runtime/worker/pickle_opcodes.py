"""Reads the opcodes of a pickle one by one, without keeping what is long and without running anything.

The table is that of `pickletools` in the standard library (protocols 0 to 5). A table of our own, since
`pickletools` reads a gigabyte into memory when a pickle announces one.
"""

import io
import os
import time
from collections.abc import Iterator
from typing import BinaryIO

KEPT = 4096
"""Bytes of an argument that are looked at; imports and versions are shorter."""
CHUNK = 1024 * 1024
CUT_OFF = "ends in the middle of a pickle"

Argument = str | bytes | int | None

_PLAIN = {
    "(": "MARK", ".": "STOP", "0": "POP", "1": "POP_MARK", "2": "DUP", "N": "NONE", "Q": "BINPERSID",
    "R": "REDUCE", "a": "APPEND", "b": "BUILD", "d": "DICT", "}": "EMPTY_DICT", "e": "APPENDS", "l": "LIST",
    "]": "EMPTY_LIST", "o": "OBJ", "s": "SETITEM", "t": "TUPLE", ")": "EMPTY_TUPLE", "u": "SETITEMS",
    "\x81": "NEWOBJ", "\x85": "TUPLE1", "\x86": "TUPLE2", "\x87": "TUPLE3", "\x88": "NEWTRUE",
    "\x89": "NEWFALSE", "\x8f": "EMPTY_SET", "\x90": "ADDITEMS", "\x91": "FROZENSET", "\x92": "NEWOBJ_EX",
    "\x93": "STACK_GLOBAL", "\x94": "MEMOIZE", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
}  # fmt: skip
_LINES = {"F": "FLOAT", "I": "INT", "L": "LONG", "P": "PERSID", "S": "STRING", "V": "UNICODE", "g": "GET"}
_LINES |= {"p": "PUT"}
_TWO_LINES = {"c": "GLOBAL", "i": "INST"}
_NUMBERS = {
    "K": ("BININT", 1), "M": ("BININT", 2), "J": ("BININT", 4), "G": ("BINFLOAT", 8), "h": ("GET", 1),
    "j": ("GET", 4), "q": ("PUT", 1), "r": ("PUT", 4), "\x80": ("PROTO", 1), "\x82": ("EXT", 1),
    "\x83": ("EXT", 2), "\x84": ("EXT", 4), "\x95": ("FRAME", 8),
}  # fmt: skip
_COUNTED = {
    "U": ("STRING", 1), "T": ("STRING", 4), "X": ("UNICODE", 4), "\x8c": ("UNICODE", 1),
    "\x8d": ("UNICODE", 8), "C": ("BYTES", 1), "B": ("BYTES", 4), "\x8e": ("BYTES", 8),
    "\x96": ("BYTES", 8), "\x8a": ("BINLONG", 1), "\x8b": ("BINLONG", 4),
}  # fmt: skip


class PickleFaultError(Exception):
    """A pickle cannot be read any further; the message says why."""


class Source:
    """The bytes of a pickle from a file; raises PickleFaultError where they end too early.

    `until` is a moment of this process's CPU time after which nothing long is passed over any more.
    """

    def __init__(self, file: BinaryIO, until: float) -> None:
        self._file = file
        self._until = until
        is_plain = isinstance(getattr(file, "raw", None), io.FileIO)
        self._size = os.fstat(file.fileno()).st_size if is_plain else None

    def read(self, count: int) -> bytes:
        """So many bytes."""
        data = self._file.read(count)
        if len(data) < count:
            raise PickleFaultError(CUT_OFF)
        return data

    def keep(self, count: int) -> bytes | None:
        """So many bytes, None when they are too many to be looked at; they are passed over all the same."""
        if count <= KEPT:
            return self.read(count)
        self.skip(count)
        return None

    def skip(self, count: int) -> None:
        """Pass over so many bytes."""
        if self._size is not None and count > CHUNK:
            if count > self._size - self._file.tell():
                raise PickleFaultError(CUT_OFF)
            self._file.seek(count, 1)
            return
        while count > 0:
            count -= len(self.read(min(count, CHUNK)))
            self.check_time()

    def check_time(self) -> None:
        """Raise when the time is up."""
        if time.process_time() > self._until:
            raise PickleFaultError("takes too long to read; what comes later is not known")

    def line(self) -> bytes | None:
        """What stands before the next line feed, None when it is too long to be looked at."""
        line = piece = self._file.readline(KEPT)
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(CHUNK)
            self.check_time()
        if not piece:
            raise PickleFaultError(CUT_OFF)
        return line[:-1] if line is piece else None

    def peek(self) -> bytes:
        """The next two bytes, or what there is of them; the file must be a buffered one."""
        return self._file.peek(2)[:2]  # type: ignore[attr-defined]


def operations(source: Source) -> Iterator[tuple[str, Argument]]:
    """Each opcode up to STOP and its argument; those that differ by the length of it only share a name.

    Raises PickleFaultError.
    """
    name = ""
    while name != "STOP":
        code = source.read(1).decode("latin-1")
        if (plain := _PLAIN.get(code)) is not None:
            name, argument = plain, None
            yield name, None
        else:
            name, argument = _with_argument(code, source)
            yield name, argument


def _with_argument(code: str, source: Source) -> tuple[str, Argument]:
    if code in _COUNTED:
        name, size = _COUNTED[code]
        kept = source.keep(int.from_bytes(source.read(size), "little"))
        return name, _decode(name, kept)
    if code in _NUMBERS:
        name, size = _NUMBERS[code]
        return name, int.from_bytes(source.read(size), "little")
    if code in _LINES:
        return _LINES[code], _text_of(_LINES[code], source.line())
    if code in _TWO_LINES:
        lines = source.line(), source.line()
        told = None if None in lines else " ".join(_text(line or b"") for line in lines)
        return _TWO_LINES[code], told
    raise PickleFaultError(f"is no pickle, or a broken one: byte {ord(code):#04x} is no opcode")


def _decode(name: str, kept: bytes | None) -> Argument:
    if kept is None or name == "BYTES":
        return kept
    return int.from_bytes(kept, "little", signed=True) if name == "BINLONG" else _text(kept)


def _text_of(name: str, line: bytes | None) -> Argument:
    if line is None:
        return None
    if name in ("INT", "LONG", "GET", "PUT"):
        return _number(line)
    if name == "STRING":
        return _text(line[1:-1])
    return line.decode("raw-unicode-escape", "replace") if name == "UNICODE" else _text(line)


def _number(line: bytes) -> int | None:
    try:
        return int(line.rstrip(b"L"))
    except ValueError:
        return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
