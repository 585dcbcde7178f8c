"""A config as somebody wants it: what it would say in the file, and everything that is wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from conf.certificates import make_context
from conf.document import read_document
from conf.faults import ConfigError, Fault
from conf.json_text import read_json
from conf.load import Examination, examine_text
from conf.masking import Masked, blot, mask, put_back
from conf.models import Config
from conf.native_edit import edit
from conf.readers.recognise import NATIVE
from host.configuring.file import ConfigFile

Tree = dict[str, Any]
UNMARKED = Fault("", "is written in a way in which its secrets cannot be marked")
HALF = Fault("", "holds half of a character (a lone surrogate), which no file can hold")


@dataclass(frozen=True)
class Base:
    """What a draft is made from: the file, and its text with marks for its secrets."""

    file: ConfigFile
    masked: Masked
    env: Mapping[str, str]


@dataclass(frozen=True)
class Draft:
    """`text` and `document` are as they may be shown, `data` is what the file would hold.

    `config` is None where `faults` has a reason not to use it; `document` is None for what cannot be read.
    `keeps_comments` says that nothing but what differs was written anew.
    """

    text: str
    document: Tree | None
    data: bytes
    config: Config | None
    faults: tuple[Fault, ...]
    keeps_comments: bool = True


def draft_of_document(base: Base, document: Tree) -> Draft:
    """From the form's document."""
    if base.file.is_json:
        return _finish(base, f"{json.dumps(document, ensure_ascii=False, indent=2)}\n", True)
    try:
        edited = edit(base.masked.text, document)
    except UnicodeEncodeError:
        return Draft(base.masked.text, None, b"", None, (HALF,))
    return _finish(base, edited.text, edited.is_whole)


def draft_of_text(base: Base, text: str) -> Draft:
    """From a text that somebody has written."""
    return _finish(base, text, True)


def read_base(file: ConfigFile, text: str, env: Mapping[str, str]) -> Base:
    """What drafts of this file with this text are made from; raises ConfigError if it cannot be read."""
    _read(file.is_json, text)
    if file.is_json and text.strip():
        text = f"{json.dumps(json.loads(text), ensure_ascii=False, indent=2)}\n"
    try:
        return Base(file, mask(text), env)
    except (yaml.YAMLError, UnicodeError):
        raise ConfigError([UNMARKED]) from None


def document_of(is_json: bool, text: str) -> Tree:
    """What a text says; raises ConfigError."""
    value = _read(is_json, text)
    if not isinstance(value, dict | None):
        raise ConfigError([Fault("", "must be a mapping of keys to values", line=1)])
    return value or {}


def _read(is_json: bool, text: str) -> object:
    data = text.encode()
    return (read_json if is_json and text.strip() else read_document)(data).value


def _finish(base: Base, text: str, keeps_comments: bool) -> Draft:
    try:
        document = document_of(base.file.is_json, text)
        real = put_back(text, base.masked.kept)
        found = examine_text(real.encode(), base.file.path, base.env)
    except ConfigError as error:
        return Draft(text, None, b"", None, blot(tuple(error.faults), base.masked.kept))
    except UnicodeEncodeError:
        return Draft(text, None, b"", None, (HALF,))
    faults = (*found.faults, *_generation_faults(found), *_certificate_faults(found.config))
    faults = blot(faults, base.masked.kept)
    config = None if faults else found.config
    return Draft(text, document, real.encode(), config, faults, keeps_comments)


def _generation_faults(found: Examination) -> list[Fault]:
    """The form and its schema know the native form only."""
    if found.generation == NATIVE:
        return []
    hint = "`fnhost config convert FILE` prints the native form"
    return [Fault("", f"is written as generation {found.generation.removeprefix('v')}", hint)]


def _certificate_faults(config: Config | None) -> list[Fault]:
    if config is None or config.tls is None:
        return []
    try:
        make_context(config.tls)
    except ConfigError as error:
        return error.faults
    return []
