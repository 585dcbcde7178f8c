"""Landlock: which files a boxed process may reach, and whom it may signal (Linux 5.13 and later).

The flags and when they came are of linux/landlock.h and Documentation/userspace-api/landlock.rst.
"""

import os
import stat
import struct
from collections.abc import Iterable

from .kernel import syscall
from .syscalls import number_of

CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
REFER, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX = 1 << 13, 1 << 14, 1 << 15, 1 << 16
BIND_TCP, CONNECT_TCP = 1 << 0, 1 << 1
ABSTRACT_SOCKETS, SIGNALS = 1 << 0, 1 << 1

# The version of the ABI with which rights of files came, all that there were from then on.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1, 9: (1 << 17) - 1}
TCP_SINCE, SCOPES_SINCE, REFER_SINCE = 4, 6, 2

OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX
READING = EXECUTE | READ_FILE | READ_DIR | RESOLVE_UNIX
# A function may write a program and read it, as an interpreter does, but not have the kernel run it.
WRITING = FILE_RIGHTS[9] & ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK)


def abi() -> int:
    """The version of the kernel's Landlock; raises OSError where there is none, or it is switched off."""
    return syscall(number_of("landlock_create_ruleset"), 0, 0, CREATE_RULESET_VERSION)


def restrict_files(reads: Iterable[str], writes: Iterable[str], network: bool) -> None:
    """Leave this process these files and folders only, and no process outside that it could signal.

    Without `network` it may not use TCP either. What does not exist is passed over. Raises OSError.
    """
    version = abi()
    files = max(rights for since, rights in FILE_RIGHTS.items() if since <= version)
    tcp = BIND_TCP | CONNECT_TCP if version >= TCP_SINCE and not network else 0
    scopes = ABSTRACT_SOCKETS | SIGNALS if version >= SCOPES_SINCE else 0
    ruleset = _create(files, tcp, scopes)
    try:
        for paths, rights in ((reads, READING), (writes, WRITING)):
            for path in paths:
                _allow(ruleset, path, rights & files)
        _enter(ruleset)
    finally:
        os.close(ruleset)


def stand_alone() -> None:
    """Make this process one that its siblings cannot trace and that can signal none but its own children.

    It keeps what it may do with files. Raises OSError.
    """
    version = abi()
    # Every domain forbids to move files between folders unless it says otherwise.
    nothing = REFER if version >= REFER_SINCE else MAKE_CHAR
    ruleset = _create(nothing, 0, SIGNALS if version >= SCOPES_SINCE else 0)
    try:
        _allow(ruleset, "/", nothing)
        _enter(ruleset)
    finally:
        os.close(ruleset)


def _create(files: int, tcp: int, scopes: int) -> int:
    # An older kernel takes a longer struct as long as what it does not know is zero.
    attributes = struct.pack("QQQ", files, tcp, scopes)
    return syscall(number_of("landlock_create_ruleset"), attributes, len(attributes), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(fd).st_mode) else rights & OF_A_FILE
        beneath = struct.pack("=Qi", allowed, fd)
        syscall(number_of("landlock_add_rule"), ruleset, RULE_PATH_BENEATH, beneath, 0)
    finally:
        os.close(fd)


def _enter(ruleset: int) -> None:
    syscall(number_of("landlock_restrict_self"), ruleset, 0)
