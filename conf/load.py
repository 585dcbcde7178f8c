"""From a config file to a Config, or to every reason why not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conf.checks import cross_faults
from conf.document import MOST_BYTES, Document, read_document
from conf.faults import ConfigError, Fault, faults_of
from conf.models import Config
from conf.references import References


def load_config(path: Path, env: Mapping[str, str]) -> Config:
    """The config in the YAML file at `path`, references resolved, relative paths starting at its folder.

    Raises ConfigError with all faults, each with its line; none repeats what a reference stands for.
    """
    try:
        with path.open("rb") as file:
            document = read_document(file.read(MOST_BYTES + 1))
        return _validate(document, References(path.absolute().parent, env))
    except OSError as error:
        raise ConfigError([Fault("", f"cannot be read ({error.strerror})")], str(path)) from None
    except ConfigError as error:
        raise ConfigError(error.faults, str(path)) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the config file, for editors and forms."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def _validate(document: Document, references: References) -> Config:
    if not isinstance(document.value, dict | None):
        raise ConfigError([Fault("", "must be a mapping of keys to values", line=1)])
    tree: dict[str, object] = document.value or {}
    resolved = references.resolve(tree)
    assert isinstance(resolved, dict)
    faults = cross_faults(resolved) + references.faults
    try:
        config = Config.model_validate(resolved, context={"folder": references.folder})
    except ValidationError as error:
        faults += faults_of(error, Config)
    if faults:
        raise ConfigError(_placed(faults, document, references))
    return config


def _placed(faults: list[Fault], document: Document, references: References) -> list[Fault]:
    unresolved = {fault.path for fault in references.faults}
    placed = [
        replace(references.conceal(fault), line=document.line_of(fault.path))
        for fault in faults
        if fault in references.faults or fault.path not in unresolved  # else one cause would be told twice
    ]
    return sorted(placed, key=lambda fault: (fault.line or 0, fault.path))
