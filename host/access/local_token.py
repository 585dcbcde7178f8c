"""The local token: whoever is this host's user may do everything, by a file that nobody else can read.

Each start of the host makes a new one. It stands in `local.token` of the state folder, and once more where
the command line of the same user finds it by the port that it talks to, with the address of the host beside
it: a program that listens on another address of loopback under the same port is sent nothing.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from host.access.token_file import write_private

logger = logging.getLogger(__name__)

STATE_FILE = "local.token"
LOCALHOST, LOOPBACK = "localhost", "127.0.0.1"
HTTPS = "https"


def run_folders(env: Mapping[str, str]) -> list[Path]:
    """Where a host of this user puts the file that the command line finds, the best place first."""
    folders = []
    runtime = Path(env.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute() and _is_ours(runtime):
        folders.append(runtime / "fnhost")
    if os.geteuid() == 0:
        folders.append(Path("/run/fnhost"))
    with contextlib.suppress(RuntimeError):  # a user that the system does not know has no home
        folders.append(Path.home() / ".local" / "state" / "fnhost" / "run")
    return folders


class LocalToken:
    """The files of one host, from `write` until `remove`."""

    def __init__(self, token: str, state: Path, env: Mapping[str, str], *, has_tls: bool = False) -> None:
        self._token = token
        self._scheme = f"{HTTPS}\n" if has_tls else ""
        self._state_file = state / STATE_FILE
        self._env = env
        self._files: list[Path] = []

    def write(self, addresses: Sequence[tuple[str, int]]) -> None:
        """Write them for a host that listens on these; raises OSError for the one in the state folder."""
        write_private(self._state_file, self._token + "\n")
        for host, port in addresses:
            text = f"{self._token}\n{host}\n{self._scheme}"
            if (
                file := _write_first([each / f"{port}.token" for each in run_folders(self._env)], text)
            ) is None:
                logger.warning("the command line will not find the local token; name %s", self._state_file)
            else:
                self._files.append(file)

    def remove(self) -> None:
        """Delete them, unless another host has written its own there since."""
        for file in [self._state_file, *self._files]:
            with contextlib.suppress(OSError):
                if file.read_text().partition("\n")[0] == self._token:
                    file.unlink()


def _write_first(files: Sequence[Path], text: str) -> Path | None:
    """Write the first of these that can be written."""
    for file in files:
        with contextlib.suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(file.parent):
                write_private(file, text)
                return file
    return None


@dataclass(frozen=True)
class Found:
    """A host of this user, and what opens it."""

    url: str
    token: str


def find_local_token(url: str, env: Mapping[str, str]) -> Found | None:
    """The local token of this user's host at `url`; None when there is none to be found.

    `localhost` becomes the host's own address, since another program may listen on that name's other one.
    """
    parts = urlsplit(url)
    named, host = parts.hostname == LOCALHOST, parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for _, text in sorted(_readable(env, port), reverse=True):
        token, listens, _ = read_run_file(text)
        if _is_at(listens, LOOPBACK if named else host):
            plain = named and parts.scheme == "http"
            return Found(f"http://{LOOPBACK}:{port}{parts.path}" if plain else url, token)
    return None


def read_run_file(text: str) -> tuple[str, str, str]:
    """Of a file that the command line finds: the token, the host's address without port, and its scheme."""
    token, listens, scheme, *_ = [*text.split("\n"), "", ""]
    return token, listens, scheme or "http"


def _readable(env: Mapping[str, str], port: int) -> Iterator[tuple[float, str]]:
    """When each file for this port was written, and what is in it; none that others could have written."""
    for folder in run_folders(env):
        file = folder / f"{port}.token"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if _is_ours(folder) and _is_ours(file):
                yield file.stat().st_mtime, file.read_text()


def _is_at(listens: str, host: str) -> bool:
    try:
        own, asked = ip_address(LOOPBACK if listens == LOCALHOST else listens), ip_address(host)
    except ValueError:
        return listens == host
    return own == asked or (own.is_unspecified and own.version == asked.version)


def _is_ours(path: Path) -> bool:
    """Whether it is this user's, and no other may write to it."""
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return False
