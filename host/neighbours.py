"""Looks for hosts of this user on this machine, for who finds none where he asked."""

import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from host.access.local_token import STATE_FILE, read_run_file, run_folders

CONNECT_SECONDS = 0.3
MOST_TOLD = 3


def find_hosts(env: Mapping[str, str]) -> dict[str, str]:
    """`http://127.0.0.1:5888` of each that has left its token and takes connections, with its token."""
    found = {}
    for file in _tokens(env):
        with suppress(OSError, UnicodeDecodeError):
            token, host, scheme = read_run_file(file.read_text())
            if file.stem.isdecimal() and _answers(host, int(file.stem)):
                found[f"{scheme}://{f'[{host}]' if ':' in host else host}:{file.stem}"] = token
    return found


def _tokens(env: Mapping[str, str]) -> Iterator[Path]:
    for folder in run_folders(env):
        with suppress(OSError):
            yield from sorted(folder.glob("*.token"))


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True


def is_locked(state: Path) -> bool:
    """Whether a host uses this state folder."""
    with suppress(OSError):
        lock = os.open(state / "host.lock", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False


def hints(state: Path, env: Mapping[str, str]) -> list[str]:
    """A sentence for each host that is found, up to a few, and for a state folder that is in use."""
    hosts = find_hosts(env)
    told = [f"a host of yours listens: `fnhost status --url {each}`" for each in list(hosts)[:MOST_TOLD]]
    told += [f"and so do {len(hosts) - MOST_TOLD} more"] if len(hosts) > MOST_TOLD else []
    token = ""
    with suppress(OSError, UnicodeDecodeError):
        token = (state / STATE_FILE).read_text().strip()
    if is_locked(state):
        place = next((each for each, its in hosts.items() if token and its == token), None)
        where = f"listens on {place}" if place else "is starting or stopping, or does not listen"
        told.append(f"the host that uses {state} {where}")
    return told
