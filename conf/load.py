"""From a config file of any generation to a Config, or to every reason why not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conf.checks import cross_faults
from conf.digests import read_md5
from conf.document import MOST_BYTES, Document, read_document
from conf.exposure import exposed_secret
from conf.faults import ConfigError, Fault, faults_of
from conf.json_text import read_json
from conf.models import Config
from conf.readers.recognise import translate
from conf.readers.translation import Translation, entries
from conf.references import References

KNOWN_KEYS = {"edge", *(field.alias or name for name, field in Config.model_fields.items())}
"""Of all generations, at the top."""


@dataclass(frozen=True)
class Note:
    """An assumption made; `path` and `line` are those of the user's file, `at` is the native path."""

    path: str
    sentence: str
    line: int | None
    at: str

    def __str__(self) -> str:
        return str(Fault(self.path, self.sentence, line=self.line))


@dataclass(frozen=True)
class Reading:
    """A config that can be used; `generation` is `native`, `v1`, `v1.5`, `v2`, `v2.1` or `v3`.

    `stopped` has the functions by name that cannot be downloaded, and why; all others run. `exposed` tells of
    a secret that others on the machine may read in the file.
    """

    config: Config
    notes: tuple[Note, ...]
    generation: str
    stopped: Mapping[str, Fault]
    exposed: Fault | None


@dataclass(frozen=True)
class Examination:
    """All there is to say of a config file; `config` is None when `faults` has a reason not to use it.

    `tree` is its native form with references as they are written; `locate` turns a fault at a native path
    into one at the path and line of the user's file. `is_config` says that any key of it is one of a config.
    """

    generation: str
    tree: dict[str, object]
    config: Config | None
    faults: tuple[Fault, ...]
    stopped: Mapping[str, Fault]
    notes: tuple[Note, ...]
    locate: Callable[[Fault], Fault]
    exposed: Fault | None = None
    is_config: bool = True


def load_config(path: Path, env: Mapping[str, str]) -> Config:
    """The config in the YAML or JSON file at `path`; raises ConfigError as `read_config` does."""
    return read_config(path, env).config


def read_config(path: Path, env: Mapping[str, str]) -> Reading:
    """The config in the YAML or JSON file at `path`, and what was assumed to read it.

    References are resolved, relative paths start at the file's folder. Raises ConfigError with all faults,
    each with its line; none repeats what a reference stands for.
    """
    found = examine_config(path, env)
    if found.config is None:
        raise ConfigError(list(found.faults), str(path), found.is_config)
    return Reading(found.config, found.notes, found.generation, found.stopped, found.exposed)


def examine_config(path: Path, env: Mapping[str, str]) -> Examination:
    """All faults and notes of the file; raises ConfigError only when it cannot be read as one document."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        found = examine_text(text, path, env)
        exposed = exposed_secret(path, found.tree)
        return replace(found, exposed=exposed and found.locate(exposed))
    except OSError as error:
        raise ConfigError(
            [Fault("", f"cannot be read ({error.strerror})", "name a file that can be read")], str(path)
        ) from None


def examine_text(text: bytes, path: Path, env: Mapping[str, str]) -> Examination:
    """All there is to say of `text` if the file at `path` held it; raises ConfigError as `examine_config`."""
    try:
        document = read_json(text) if path.suffix.lower() == ".json" else read_document(text)
        if not isinstance(document.value, dict | None):
            raise ConfigError([Fault("", "must be a mapping of keys to values", line=1)])
        generation, translation = translate(document.value or {})
        examiner = _Examiner(document, translation, References(path.absolute().parent, env))
        is_config = bool(KNOWN_KEYS & (document.value or {}).keys())
        return replace(examiner.examine(generation), is_config=is_config)
    except ConfigError as error:
        raise ConfigError(error.faults, str(path), is_config=False) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the config file, for editors and forms."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


@dataclass(frozen=True)
class _Examiner:
    document: Document
    translation: Translation
    references: References

    def examine(self, generation: str) -> Examination:
        tree = self.references.resolve(self.translation.tree)
        assert isinstance(tree, dict)
        found = cross_faults(tree) + self.references.faults
        config = None
        try:
            config = Config.model_validate(tree, context={"folder": self.references.folder})
        except ValidationError as error:
            found += faults_of(error, Config)
        faults = self._placed(found)
        stopped = {name: self._located(fault) for name, fault in _stopped(tree).items()}
        notes = (Note(self._origin(at), text, self._line(at), at) for at, text in self.translation.notes)
        return Examination(
            generation=generation,
            tree=self.translation.tree,
            config=None if faults else config,
            faults=tuple(faults),
            stopped=stopped,
            notes=tuple(sorted(notes, key=lambda note: (note.line or 0, note.path))),
            locate=self._located,
        )

    def _placed(self, faults: list[Fault]) -> list[Fault]:
        unresolved = {fault.path for fault in self.references.faults}
        once = {  # one thing may stand in several places of the native form
            self._located(fault): None
            for fault in faults
            if fault in self.references.faults or fault.path not in unresolved  # else one cause is told twice
        }
        own = {
            replace(fault, line=self.document.line_of(fault.path)): None for fault in self.translation.faults
        }
        return sorted({**own, **once}, key=lambda fault: (fault.line or 0, fault.path))

    def _located(self, fault: Fault) -> Fault:
        concealed = self.references.conceal(fault)
        return replace(concealed, path=self._origin(fault.path), line=self._line(fault.path))

    def _origin(self, path: str) -> str:
        return self.translation.origin(path)

    def _line(self, path: str) -> int | None:
        return self.document.line_of(self._origin(path))


def _stopped(tree: dict[str, object]) -> dict[str, Fault]:
    """The functions whose digest cannot be one: nothing could be checked against it."""
    stopped = {}
    for index, func in enumerate(entries(tree.get("funcs"))):
        digest = func.get("modelMd5") if isinstance(func, dict) else None
        if isinstance(func, dict) and isinstance(digest, str) and digest:
            try:
                read_md5(digest)
            except ValueError as error:
                stopped[str(func.get("modelName"))] = Fault(f"funcs[{index}].modelMd5", str(error))
    return stopped
