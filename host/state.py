"""The one folder that holds all that the host keeps, and the lock that makes it one host's only."""

import fcntl
import os
import secrets
from pathlib import Path

from functions.trees import delete_tree
from host.state_entries import misplaced, move_aside


class StateError(Exception):
    """The state folder cannot be used; the message says why."""


def check_owner(root: Path) -> None:
    """Raise StateError for root in another user's folder, whose host could not read what root leaves."""
    if os.geteuid() == 0 and root.exists() and (owner := root.stat().st_uid) != 0:
        raise StateError(f"{root} belongs to the user {owner}; run this as that user")


class StateDir:
    """Paths below the state folder. `lock` must come first; it also creates the folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = root / "registry.db"
        self.delivery = root / "delivery.db"
        self.usage = root / "usage.json"
        self.records = root / "records.db"
        self.devices = root / "devices.db"
        self.packages = root / "packages"
        self.environments = root / "environments"
        self.output = root / "output"
        self.shared_output = root / "shared-output"
        self.logs = root / "logs"
        self.staging = root / "staging"
        self.downloads = root / "downloads"
        self.overlay = root / "overlay"
        self.byte_code = root / "byte-code"
        self.pythons = root / "pythons"
        self.temporary = root / "tmp"
        self._lock_fd: int | None = None

    def lock(self) -> None:
        """Take the folder for this process; raises StateError when it is another's or cannot be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # What deployed packages hold, and their results, are nobody else's business.
            self.root.chmod(0o711)
            self._check_entries()
            self._lock_fd = os.open(self.root / "host.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            delete_tree(self.staging)
            for folder, mode in self._modes().items():
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)
            for file in (self.registry, self.delivery, self.root / "owner"):
                _keep_private(file)
        except BlockingIOError:
            raise StateError(
                f"another fnhost uses {self.root}; stop it, or choose another with --state"
            ) from None
        except (FileExistsError, NotADirectoryError):
            raise StateError(
                f"{self.root} is, or lies in, a file, and has to be a folder; choose another with --state"
            ) from None
        except OSError as error:
            raise StateError(
                f"{self.root} cannot be used: {error.strerror}; `fnhost doctor --state {self.root}` says"
                " more, or choose another with --state"
            ) from error

    def _check_entries(self) -> None:
        for entry, fault in misplaced(self.root):
            raise StateError(f"{entry} {fault}: {move_aside(entry)}, or choose another folder with --state")

    def _modes(self) -> dict[Path, int]:
        """Functions may run as users of their own: what they need they can read, nothing else."""
        reached = (self.packages, self.environments, self.output, self.shared_output)
        shared = dict.fromkeys(reached, 0o711)
        return shared | dict.fromkeys((self.logs, self.staging, self.downloads, self.byte_code), 0o700)

    def unlock(self) -> None:
        """Give the folder free."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def owner(self) -> str:
        """A mark of this folder that stays the same over restarts."""
        file = self.root / "owner"
        if not file.exists() or not file.read_text():
            file.write_text(secrets.token_hex(16))
        return file.read_text().strip()

    def environment(self, function: str, number: int) -> Path:
        """The venv of a revision."""
        return self.environments / function / str(number) / "venv"

    def build_log(self, function: str, number: int) -> Path:
        """What uv said while it built that venv."""
        return self.environments / function / str(number) / "build.log"

    def inspection(self, function: str, number: int) -> Path:
        """What stands in the package of a revision, as it was seen when it was deployed."""
        return self.environments / function / str(number) / "inspection.json"

    def uv_cache(self) -> Path | None:
        """uv's cache: its own where hard links from there reach us (None), else one of ours."""
        try:
            home = Path.home()
            shared = os.access(home, os.W_OK) and home.stat().st_dev == self.root.stat().st_dev
        except (OSError, RuntimeError):  # which says that the user has no home
            shared = False
        return None if shared or "UV_CACHE_DIR" in os.environ else self.root / "uv-cache"

    def package(self, sha256: str) -> Path:
        """The unpacked package."""
        return self.packages / sha256


def _keep_private(file: Path) -> None:
    """Nobody else reads it; SQLite gives the files beside a database the database's own mode."""
    file.touch(0o600)
    file.chmod(0o600)
