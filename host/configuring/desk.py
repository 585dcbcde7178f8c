"""Where the config file is looked at, checked and changed; no change that fails stays."""

import asyncio
import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from conf.convert import native_form
from conf.faults import ConfigError, Fault
from conf.load import Examination, examine_text
from conf.masking import Masked, blot, hide, mask
from conf.models import Config
from conf.readers.recognise import NATIVE
from conf.settings import Settings, own_config
from host.changes import changed_keys, compare_sections, restart_keys
from host.configuring.draft import (
    Base,
    Draft,
    Tree,
    document_of,
    draft_of_document,
    draft_of_text,
    read_base,
)
from host.configuring.file import ConfigFile, Content

MOST_DIFF_LINES = 2000


class ConflictError(Exception):
    """The file is not what the change was made from."""


class LockedError(Exception):
    """The file cannot be changed from here."""


class RefusedError(Exception):
    """The config has faults; `faults` has all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(str(ConfigError(list(faults))))
        self.faults = faults


class Applies(Protocol):
    """What goes over to another config, and knows which one is in force."""

    started: Settings
    env: Mapping[str, str]
    is_torn: bool

    @property
    def config_path(self) -> Path | None:
        """The file that is in force."""

    @property
    def applied(self) -> Config:
        """What is in force."""

    async def apply(self, path: Path | None = None) -> list[str]:
        """Go over to a file."""


@dataclass(frozen=True)
class Wanted:
    """What somebody wants in the file: the form's document, else a text; made from the file with `digest`."""

    digest: str
    document: Tree | None = None
    text: str = ""

    def draft(self, base: Base) -> Draft:
        """As the file would have it."""
        if self.document is not None:
            return draft_of_document(base, self.document)
        return draft_of_text(base, self.text)


@dataclass(frozen=True)
class Sheet:
    """The file as it may be shown.

    `lock` is why it cannot be changed from here: `generation`, `file`, or empty where it can. Of `file`,
    `obstacle` is a word for what is in its way (`no_folder`, `file`, `folder`), and `reason` a sentence.
    """

    digest: str
    exists: bool
    generation: str = NATIVE
    text: str | None = None
    document: Tree | None = None
    lock: str = ""
    obstacle: str = ""
    reason: str = ""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = field(default=())
    is_applied: bool = True


class Desk:
    """Looks at the file anew each time: others may write it, too. All that reads and writes is in threads."""

    def __init__(self, reloader: Applies) -> None:
        self._reloader = reloader
        self._lock = asyncio.Lock()
        self.changes = 0

    @property
    def file(self) -> ConfigFile:
        """The host's file, or the one that it would begin."""
        reloader = self._reloader
        return ConfigFile(reloader.config_path or own_config(reloader.started.state_dir))

    async def show(self) -> dict[str, Any]:
        """The file with marks for its secrets, and how what it says compares with what is in force."""
        sheet = await asyncio.to_thread(self._sheet)
        place = {"file": str(self.file.path), "named": self._reloader.config_path is not None}
        return {**place, **asdict(sheet), "restart": self.restart, "overridden": self._overridden()}

    @property
    def restart(self) -> list[str]:
        """Keys whose values in force are those of the start."""
        return restart_keys(self._reloader.started.config, self._reloader.applied)

    async def check(self, wanted: Wanted) -> dict[str, Any]:
        """What the change would be, or all that is wrong with it; raises ConflictError, LockedError."""
        base, draft = await asyncio.to_thread(self._draft, wanted)
        told = {"text": draft.text, "document": draft.document, "keeps_comments": draft.keeps_comments}
        faults = [asdict(fault) for fault in draft.faults]
        return {"faults": faults, **told, **await asyncio.to_thread(self._compare, base, draft)}

    async def write(self, wanted: Wanted) -> dict[str, Any]:
        """Put it into the file and into force; raises RefusedError, and as `check` does.

        If it cannot be put into force, the file is as it was.
        """
        changing = asyncio.create_task(self._write(wanted))
        # Whoever asked may go: a change is made as a whole.
        return await asyncio.shield(changing)

    async def _write(self, wanted: Wanted) -> dict[str, Any]:
        async with self._lock:
            file = self.file
            before = await asyncio.to_thread(_read, file)
            obstacle, reason = await asyncio.to_thread(file.obstacle)
            if obstacle:
                raise LockedError(reason)
            _, draft = await asyncio.to_thread(self._draft, wanted)
            if draft.config is None:
                raise RefusedError(draft.faults)
            backup = None if draft.keeps_comments else await asyncio.to_thread(file.back_up, before)
            changes = await self._put(file, before, draft)
            self.changes += 1
        digest = Content(draft.data, True).digest
        told = {"digest": digest, "backup": str(backup) if backup else None}
        return {"changes": changes, "restart": self.restart, **told}

    async def _put(self, file: ConfigFile, before: Content, draft: Draft) -> list[str]:
        await asyncio.to_thread(file.replace, draft.data)
        is_done = False
        try:
            changes = await self._reloader.apply(file.path)
            is_done = True
        except ConfigError as error:
            # Something that it names has changed since it was checked.
            raise RefusedError(tuple(error.faults)) from None
        finally:
            if not is_done:
                await asyncio.to_thread(file.restore, before)
                if self._reloader.is_torn and before.exists:
                    await self._reloader.apply(file.path)
        return changes

    def _sheet(self) -> Sheet:
        try:
            content = _read(self.file)
        except LockedError as error:
            return Sheet("", True, lock="file", reason=str(error))
        sheet = Sheet(content.digest, content.exists)
        obstacle, reason = self.file.obstacle()
        try:
            found = examine_text(content.data, self.file.path, self._reloader.env)
        except ConfigError as error:
            # What cannot be read may hold secrets anywhere.
            told = tuple(error.told_afar().faults)
            return Sheet(sheet.digest, sheet.exists, lock="file", reason="it cannot be read", faults=told)
        lock = "generation" if found.generation != NATIVE else "file" if obstacle else ""
        try:
            masked = self._masked(found, content)
            document = document_of(self.file.is_json and lock != "generation", masked.text)
        except (ConfigError, UnicodeError) as error:
            reason = str(error) if isinstance(error, ConfigError) else "it is not written in UTF-8"
            return Sheet(sheet.digest, sheet.exists, found.generation, lock="file", reason=reason)
        return Sheet(
            digest=sheet.digest,
            exists=sheet.exists,
            generation=found.generation,
            text=masked.text,
            document=document,
            lock=lock,
            obstacle=obstacle,
            reason=reason,
            faults=blot(found.faults, masked.kept),
            notes=tuple(map(str, found.notes)),
            is_applied=found.config is not None and found.config == self._reloader.applied,
        )

    def _masked(self, found: Examination, content: Content) -> Masked:
        if found.generation != NATIVE:
            return mask(native_form(found))
        return read_base(self.file, content.text, self._reloader.env).masked

    def _draft(self, wanted: Wanted) -> tuple[Base, Draft]:
        content = _read(self.file)
        if content.digest != wanted.digest:
            raise ConflictError("the file has been changed since it was read; read it again")
        path, env = self.file.path, self._reloader.env
        try:
            generation = examine_text(content.data, path, env).generation
        except ConfigError:
            raise LockedError("the file cannot be read") from None
        if generation != NATIVE:
            raise LockedError(f"the file is written as generation {generation.removeprefix('v')}")
        try:
            base = read_base(self.file, content.text, env)
        except (ConfigError, UnicodeError):
            raise LockedError("the file is not UTF-8, or its secrets cannot be marked") from None
        return base, wanted.draft(base)

    def _compare(self, base: Base, draft: Draft) -> dict[str, Any]:
        before, after = self._reloader.applied, draft.config
        changes = list(compare_sections(before, after)) if after else []
        return {
            "diff": _diff(base.masked.text, draft),
            "changes": [asdict(each) for each in changes],
            "keys": changed_keys(before, after) if after else [],
            "restart": restart_keys(self._reloader.started.config, after) if after else [],
        }

    def _overridden(self) -> list[str]:
        """Keys of which flags or the environment say something else."""
        started = self._reloader.started
        config, listen = started.config, started.config.listen
        told = {
            "listen": (listen.host, listen.port) != (started.listen_host, started.listen_port),
            "state": config.state is not None and config.state != started.state_dir,
            "allow_anonymous": config.allow_anonymous != started.allow_anonymous,
            "log": bool(started.told_log),
        }
        return [name for name, differs in told.items() if differs]


def _read(file: ConfigFile) -> Content:
    """What stands in it; raises LockedError where nothing can be read."""
    try:
        return file.read()
    except OSError as error:
        raise LockedError(f"{file.path} cannot be read: {error.strerror or error}") from None


def _diff(before: str, draft: Draft) -> str:
    after = draft.text if draft.document is None else hide(draft.text)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    told = list(lines)[2:]
    if len(told) > MOST_DIFF_LINES:
        told = [*told[:MOST_DIFF_LINES], f"@@ … {len(told) - MOST_DIFF_LINES} more @@"]
    return "\n".join(told)
