"""A host for one function and one person: in a process and a folder of its own, gone with the command."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from conf.names import check_name
from functions.errors import PackageError
from functions.package import pack_folder, read_stored
from host.access.local_token import STATE_FILE
from host.authoring.faults import AuthoringError, RefusedPackageError
from host.authoring.frames import own_frames
from host.authoring.records import Record, read_record
from host.authoring.samples import Sample
from host.client.client import Client, Reply
from host.client.errors import ClientError, RefusedError
from host.full_disk import FULL, NEEDED, tell_full_temporary, tell_scratch
from host.private.child import Child, Program, run_child
from host.private.folder import scratch_folder
from host.private.ports import is_free

START_LIMIT = 60.0
GRACE = 5.0  # an event in its middle would take longer, and nobody waits for it any more
LISTENS = r"fnhost listens on (http://[^,\"]+)"
MOST_LINES = 20
FALLBACK = "function"
LINKED = {"UV_LINK_MODE": "hardlink"}
"""It is its author's own code, which can reach the cache anyway: a save is not to wait for copies."""


@dataclass(frozen=True)
class Order:
    """A zip or folder, the port (0 is any), and who hears each record of the host (see `telling.py`)."""

    package: Path
    port: int
    hear: Callable[[Record], None]

    @property
    def shown(self) -> str:
        """What stands before the names of its files where a person reads them."""
        return f"{self.package}/" if self.package.is_dir() else ""


@dataclass(frozen=True)
class PrivateHost:
    """Where it is; its `child` can be watched."""

    url: str
    function: str
    folder: Path
    child: Child
    token: str
    shown: str

    @property
    def target(self) -> str:
        """Where the function is invoked."""
        return f"{self.url}/invoke/{self.function}"

    async def deploy(self, package: Path, tell: Callable[[Record], None]) -> Record:
        """Deploy a zip or a folder, telling each line of the way; returns the last one.

        Raises RefusedPackageError with the reason and the user's own stack, and ClientError.
        """
        return await asyncio.to_thread(self._deploy, package, tell)

    async def invoke(self, sample: Sample) -> Reply:
        """The function's answer to a sample; raises ClientError."""
        return await asyncio.to_thread(self._invoke, sample)

    def _deploy(self, package: Path, tell: Callable[[Record], None]) -> Record:
        zipped = self._zipped(package)
        with Client(self.url, self.token) as client:
            try:
                return self._follow(client.deploy(zipped, {"name": self.function}), tell)
            except RefusedError as error:
                raise RefusedPackageError(_told(error.problem) or str(error)) from None

    def _follow(self, messages: Any, tell: Callable[[Record], None]) -> Record:
        for message in messages:
            match message.get("type"):
                case "done":
                    done: Record = message
                    return done
                case "error":
                    stack = own_frames(message.get("stack") or [], self.shown)
                    raise RefusedPackageError("\n".join([_told(message), *stack]))
                case _:
                    tell(message)
        raise ClientError("the host ended the deploy without saying how")

    def _zipped(self, package: Path) -> Path:
        if package.is_file():
            return package
        target = self.folder / "package.zip"
        try:
            pack_folder(package, target)
        except PackageError as error:
            raise RefusedPackageError(str(error)) from None
        except OSError as error:
            raise RefusedPackageError(tell_scratch(error)) from None
        return target

    def _invoke(self, sample: Sample) -> Reply:
        with Client(self.url, self.token) as client:
            return client.invoke(self.function, sample.body, sample.content_type)


@asynccontextmanager
async def open_host(order: Order) -> AsyncIterator[PrivateHost]:
    """Run one within the block; nothing of it is left afterwards. Raises AuthoringError and ChildError."""
    if not is_free(order.port):
        raise AuthoringError(f"port {order.port} is taken; choose another with --port, or leave it out")
    with scratch_folder("fnhost-dev-") as folder:
        if shutil.disk_usage(folder).free < NEEDED:
            raise AuthoringError(tell_full_temporary())
        state = folder / "state"
        function, shown = name_of(order.package), order.shown
        hear = partial(_hear, order.hear, shown)
        arguments = ["host.authoring.serving", str(state), f"127.0.0.1:{order.port}", function]
        variables = {**LINKED, **uv_cache(os.environ)}
        program = Program("the host", arguments, GRACE, variables, hear)
        async with run_child(program) as child:
            try:
                url = await asyncio.wait_for(child.wait_for(LISTENS), START_LIMIT)
            except TimeoutError:
                raise child.failed(f"did not start within {START_LIMIT:g} s") from None
            token = (state / STATE_FILE).read_text().strip()
            yield PrivateHost(url, function, folder, child, token, shown)


def uv_cache(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's own cache of uv, also where it is on another disk: what was fetched once is there again."""
    if "UV_CACHE_DIR" in environ:
        return {}
    told = Path(environ.get("XDG_CACHE_HOME", ""))
    home = Path(environ.get("HOME", ""))
    if not told.is_absolute() and not (home.is_absolute() and os.access(home, os.W_OK)):
        return {}
    return {"UV_CACHE_DIR": str((told if told.is_absolute() else home / ".cache") / "uv")}


def name_of(package: Path) -> str:
    """What the function is called: as the manifest says, else as the folder or zip, where that is a name."""
    whole = package.resolve()
    try:
        told = read_stored(whole, "").manifest.name if whole.is_dir() else None
    except (PackageError, OSError):
        told = None  # deploying says what is wrong
    try:
        return told or check_name(whole.name if whole.is_dir() else whole.stem)
    except ValueError:
        return FALLBACK


def _told(problem: Record) -> str:
    """A full disk is that of temporary files: the folder that the host names goes with the command."""
    return tell_full_temporary() if problem.get("title") == FULL else str(problem.get("detail") or "")


def _hear(hear: Callable[[Record], None], shown: str, line: str) -> bool:
    record = read_record(line)
    if record is not None:
        if stack := record.get("stack"):
            record["stack"] = own_frames(stack, shown)[-MOST_LINES:]
        hear(record)
    return record is not None
