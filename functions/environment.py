"""Builds the environment of a revision: a venv with its requirements, made by uv from hard links."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from functions import launch
from functions.build_failure import failure_sentence
from functions.confinement import Confinement
from functions.errors import BuildError
from functions.interpreters import find_python
from functions.trees import delete_tree
from functions.uv_program import find_uv

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
PASSED_ON = {"PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "PYENV_ROOT"}
PASSED_ON |= {*PROXIES, *(name.upper() for name in PROXIES)}
PASSED_ON_PREFIXES = ("UV_", "SSL_CERT_")
LONGEST_LINE = 64 * 1024
KEPT_LINES = 200
MOST_LOGGED = 1024 * 1024
"""Bytes of a build's output that its log file keeps from the beginning, and as many from the end."""
REMEMBERED = "interpreter"


@dataclass(frozen=True)
class BuildOrder:
    """One environment to be built in the folder `target`; whatever lies there is replaced.

    `python` is a version ("3.12") or None for the host's own. With `wheels` nothing else is used and nothing
    is fetched; the path of that folder must never have held other wheels (uv remembers them by it). `build`
    allows source distributions, which run their own code. `adopt` may give another interpreter in place of
    the one that was found, and blocks. `confinement` is the box of source distributions. `time_limit` is in
    seconds.
    """

    target: Path
    log_path: Path
    python: str | None = None
    requirements: tuple[str, ...] = ()
    wheels: Path | None = None
    build: bool = False
    cache_dir: Path | None = None
    adopt: Callable[[Path], Path] | None = None
    confinement: Confinement | None = None
    time_limit: float = 600.0


async def build_environment(order: BuildOrder, log: Callable[[str], None]) -> Path:
    """Build it; returns the path of its interpreter. Every line of output goes to `log` and `order.log_path`.

    Raises BuildError with one sentence; then, and when cancelled, no process and no `target` is left.
    To be called on an event loop in the main thread: uv dies with the thread that started it.
    """
    uv_log = BuildLog(order.log_path, log)
    try:
        async with asyncio.timeout(order.time_limit):
            return await _build(order, Uv(clean_environment(os.environ), uv_log))
    except BaseException as error:
        await asyncio.to_thread(delete_tree, order.target)
        if isinstance(error, TimeoutError):
            raise BuildError(
                f"the environment was not built within {order.time_limit:g} s; bring its wheels"
                " along: `fnhost package DIR --with-wheels`"
            ) from None
        raise
    finally:
        uv_log.close()


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What uv may know of the host's environment: paths, proxies, certificates and its own settings."""
    return {
        name: value
        for name, value in environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


async def _build(order: BuildOrder, uv: "Uv") -> Path:
    await asyncio.to_thread(delete_tree, order.target)
    python = await find_python(order.python, uv.env)
    if order.adopt is not None:
        python = await asyncio.to_thread(order.adopt, python)
    await asyncio.to_thread(_remember, order.target, python)
    await uv.run(["venv", "--python", str(python), *_shared_options(order), str(order.target)])
    inner = order.target / "bin" / "python"
    if order.requirements:
        listing = _write_listing(order)
        if order.build and order.confinement is not None:
            await _install_boxed(order, order.confinement, uv, listing)
        else:
            await uv.run(_install(order, listing))
    return inner


def base_interpreter(environment: Path) -> Path:
    """The interpreter that a venv was made from, as the host found it then; to be started in its place.

    What lies in the venv itself is not asked: wheels may bring any file of it, `pyvenv.cfg` included.
    """
    try:
        return Path((environment.parent / REMEMBERED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        # Built before there was such a file; uv lets no wheel replace this link.
        return Path(os.path.realpath(environment / "bin" / "python"))


def _remember(environment: Path, python: Path) -> None:
    file = environment.parent / REMEMBERED
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(os.path.realpath(python), encoding="utf-8")


async def _install_boxed(order: BuildOrder, box: Confinement, uv: "Uv", listing: Path) -> None:
    """Only here does foreign code run: the venv itself was made of our own."""
    await asyncio.to_thread(box.open, order.target, Path(find_uv()))
    launcher = tuple(await asyncio.to_thread(box.launcher, order.target, order.wheels))
    boxed = replace(uv, env={**uv.env, **box.variables()}, launcher=launcher, program=str(box.program))
    try:
        await boxed.run(_install(replace(order, cache_dir=box.cache), listing))
    finally:
        await asyncio.to_thread(box.close, order.target)


def _install(order: BuildOrder, listing: Path) -> list[str]:
    python = order.target / "bin" / "python"
    return ["pip", "install", "--python", str(python), *_install_options(order), "-r", str(listing)]


def _write_listing(order: BuildOrder) -> Path:
    listing = order.target / "requirements.txt"
    listing.write_text("".join(f"{line}\n" for line in order.requirements), encoding="utf-8")
    return listing


def _shared_options(order: BuildOrder) -> list[str]:
    cache = ["--cache-dir", str(order.cache_dir)] if order.cache_dir else []
    return ["--no-python-downloads", "--color", "never", "--no-progress", *cache]


def _install_options(order: BuildOrder) -> list[str]:
    options = [*_shared_options(order), "--link-mode", link_mode(os.environ)]
    if not order.build:
        options += ["--only-binary", ":all:"]
    if order.wheels is not None:
        options += ["--offline", "--no-index", "--find-links", str(order.wheels)]
    return options


def link_mode(environ: Mapping[str, str]) -> str:
    """How files of wheels come from uv's cache; UV_LINK_MODE=hardlink is for those who trust the package."""
    # What our own user may write, a function can that runs as it; through a link it would change the cache.
    trusts = environ.get("UV_LINK_MODE") == "hardlink"
    return "hardlink" if trusts or os.geteuid() == 0 else "copy"


class BuildLog:
    """Writes what a build prints to its log file, without the middle of very much, and hands on each line."""

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(0o600)
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._log = log
        self._written = self._waiting = self._left_out = 0
        self._tail: deque[str] = deque()

    def note(self, line: str) -> None:
        """Add one line."""
        self._keep(line + "\n")
        self._log(line)

    def _keep(self, line: str) -> None:
        size = len(line.encode())
        if not self._tail and self._written + size <= MOST_LOGGED:
            self._written += size
            self._file.write(line)
            return
        self._tail.append(line)
        self._waiting += size
        while self._waiting > MOST_LOGGED:
            self._waiting -= len(self._tail.popleft().encode())
            self._left_out += 1

    def close(self) -> None:
        """Write the end of what was much, and close the file."""
        if self._left_out:
            self._file.write(f"({self._left_out} lines were left out here)\n")
        self._file.writelines(self._tail)
        self._file.close()


@dataclass(frozen=True)
class Uv:
    """Runs uv in a clean environment and hands on every line that it prints.

    `launcher` goes before the command; `program` is a copy of uv to use instead of the installed one.
    """

    env: Mapping[str, str]
    log: BuildLog
    program: str = ""
    launcher: tuple[str, ...] = ()

    async def run(self, arguments: list[str]) -> None:
        """Run `uv ARGUMENT...`. Raises BuildError with its reason when it fails."""
        process = await self._start(arguments)
        kept: list[str] = []
        try:
            async for line in _lines(process):
                self.log.note(line)
                kept = [*kept[-KEPT_LINES:], line]
            code = await process.wait()
        finally:
            await _end(process)
        if code:
            raise BuildError(failure_sentence(kept, code))

    async def _start(self, arguments: list[str]) -> asyncio.subprocess.Process:
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        return await asyncio.create_subprocess_exec(
            *launcher,
            *self.launcher,
            self.program or find_uv(),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(self.env),
            cwd=os.sep,  # no project's settings apply
            start_new_session=True,
            limit=LONGEST_LINE,
        )


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    while chunk := await _read_line(process.stdout):
        yield chunk.decode(errors="replace").rstrip()


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    """One line, or as much of one as the buffer holds; empty at the end."""
    try:
        return await stream.readuntil()
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.read(overrun.consumed)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the process group and wait for the process."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    await process.wait()
