"""Who a boxed process is: its user, its capabilities, and its network namespace."""

import errno
import os
import struct

from .kernel import BoxError, prctl, syscall
from .syscalls import number_of

PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
DAC_OVERRIDE = 1
"""CAP_DAC_OVERRIDE: other users' files, as far as Landlock lets anybody see them."""
CAPABILITY_VERSION = 0x20080522
MOST_CAPABILITIES = 64
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def become_user(uid: int) -> None:
    """Give up everything for a user who has nothing; the group has the same number.

    Raises OSError when nothing was given up, and BoxError when only a part could be.
    """
    os.setgroups([])
    try:
        _shrink_bounding_set()
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        drop_capabilities()
        # Others of the same user cannot read this one's memory, whatever fs.suid_dumpable says.
        prctl(PR_SET_DUMPABLE, 0)
    except OSError as error:
        raise BoxError(f"the box cannot become user {uid}: {error.strerror}") from None


def weaken_root() -> None:
    """Keep of root's power what its files need: for a host that is root and has no other user for a box.

    Otherwise such a box could raise its limits, change the network, and read the environment of every
    process, CAP_PERFMON being enough. Raises BoxError.
    """
    try:
        _shrink_bounding_set(keep=DAC_OVERRIDE)
        drop_capabilities(keep=1 << DAC_OVERRIDE)
    except OSError as error:
        raise BoxError(f"the box cannot give up root's capabilities: {error.strerror}") from None


def drop_capabilities(keep: int = 0) -> None:
    """Keep those of this mask alone, and none to pass on; raises OSError."""
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    syscall(number_of("capset"), header, struct.pack("6I", keep, keep, 0, 0, 0, 0))


def leave_network(may_own: bool) -> None:
    """Enter a network namespace in which nothing is up, not even the loopback.

    With `may_own` also by an own user namespace, as those must who are not root. Raises OSError when nothing
    was done, and BoxError when only a part could be.
    """
    try:
        syscall(number_of("unshare"), CLONE_NEWNET)
    except PermissionError:
        if not may_own:
            raise
        _own_namespaces(os.geteuid(), os.getegid())


def _own_namespaces(uid: int, gid: int) -> None:
    syscall(number_of("unshare"), CLONE_NEWUSER | CLONE_NEWNET)
    try:
        # user_namespaces(7): who is not root may map only himself, and the group once setgroups is off.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        # The owner of a user namespace has every capability in it.
        _shrink_bounding_set()
        drop_capabilities()
    except OSError as error:
        raise BoxError(f"the box's user namespace has no user {uid}: {error.strerror}") from None


def _shrink_bounding_set(keep: int | None = None) -> None:
    for number in range(MOST_CAPABILITIES):
        if number == keep:
            continue
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError as error:
            # EINVAL: that was the last. EPERM: it may not be changed, and no_new_privs keeps it from use.
            if error.errno in (errno.EINVAL, errno.EPERM):
                return
            raise
