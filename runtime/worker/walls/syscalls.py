"""The numbers of the system calls that a box forbids or looks at, for x86-64 and aarch64.

From Linux's own tables, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, which
is aarch64's; a call that an architecture does not have is None.
"""

import os
import struct
from typing import NamedTuple

NEWEST = 471
"""rseq_slice_yield of Linux 7.0. From 424 on both architectures count alike."""

Numbers = tuple[int | None, int | None]

LOOKED_AT: dict[str, Numbers] = {
    "ioctl": (16, 29),
    "socket": (41, 198),
    "clone": (56, 220),
    "fork": (57, None),
    "vfork": (58, None),
    "fcntl": (72, 25),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "prlimit64": (302, 261),
    "sched_setattr": (314, 274),
    "kill": (62, 129),
    "capset": (126, 91),
    "rt_sigqueueinfo": (129, 138),
    "prctl": (157, 167),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "unshare": (272, 97),
    "rt_tgsigqueueinfo": (297, 240),
    "seccomp": (317, 277),
    "pidfd_send_signal": (424, 424),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

DENIED: dict[str, Numbers] = {
    # Other processes' memory, registers and descriptors.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "pidfd_getfd": (438, 438),
    # Of all processes of a user, and what stays when all processes have ended.
    "ioprio_set": (251, 30),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # Mounts, roots and namespaces.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "setns": (308, 268),
    "listns": (470, 470),
    # Files by handle, past every folder's permissions.
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    # Large or rarely used parts of the kernel, in which most holes have been found.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "_sysctl": (156, None),
    "uselib": (134, None),
    "lsm_set_self_attr": (460, 460),
    # The kernel and the machine themselves.
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "query_module": (178, None),
    "get_kernel_syms": (177, None),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    # Time.
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
}


class Machine(NamedTuple):
    """An architecture: how seccomp calls it (AUDIT_ARCH_* in linux/audit.h), and its column in the tables."""

    audit: int
    column: int

    def number(self, name: str) -> int | None:
        """A call's number here; None where there is no such call."""
        return (LOOKED_AT.get(name) or DENIED[name])[self.column]

    def numbers(self, *names: str) -> list[int]:
        """Those of them that exist here."""
        found = (self.number(name) for name in names)
        return [number for number in found if number is not None]


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}


def this_machine() -> Machine:
    """The architecture of this very process; raises OSError where there is no table for it."""
    name, bits = os.uname().machine, 8 * struct.calcsize("P")
    # A 32-bit interpreter makes the calls of another architecture than the kernel says it has.
    if name not in MACHINES or bits != 64:
        raise OSError(f"there is no table of system calls for {bits}-bit programs on {name}")
    return MACHINES[name]


def number_of(name: str) -> int:
    """A call's number in this process; raises OSError where there is none."""
    number = this_machine().number(name)
    if number is None:
        raise OSError(f"this machine has no {name}(2)")
    return number
