"""The word of memory in which an instance notes the event that it has begun, for the host to look at."""

import fcntl
import mmap
import os

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class SlotWord:
    """`fd` is the file to give away; raises OSError when there are no descriptors."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("slot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, mmap.PAGESIZE)
        # Unsealed, an instance could shrink the file and the host would die of SIGBUS at its next look.
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, SEALS)
        self._word = memoryview(mmap.mmap(self.fd, mmap.PAGESIZE)).cast("Q")
        self._highest = 0

    def read(self) -> int:
        """The highest number that was ever seen here: the function can write here, too."""
        self._highest = max(self._highest, self._word[0])
        return self._highest

    def close(self) -> None:
        """Keep no descriptor; the memory stays."""
        os.close(self.fd)
