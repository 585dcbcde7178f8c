"""From a bridge file of the program before this one to a BridgeFile, or to every reason why not."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from conf.bridge import BridgeFile, rate_faults
from conf.document import MOST_BYTES, Document, read_document
from conf.faults import ConfigError, Fault, faults_of
from conf.references import References


def load_bridge(path: Path, env: Mapping[str, str]) -> BridgeFile:
    """The bridge in the YAML file at `path`, references resolved.

    Raises ConfigError with all faults, each with its line; none repeats what a reference stands for.
    """
    try:
        with path.open("rb") as file:
            document = read_document(file.read(MOST_BYTES + 1))
        return _validate(document, References(path.absolute().parent, env))
    except OSError as error:
        raise ConfigError(
            [Fault("", f"cannot be read ({error.strerror})", "name another with --config")], str(path)
        ) from None
    except ConfigError as error:
        raise ConfigError(error.faults, str(path)) from None


def _validate(document: Document, references: References) -> BridgeFile:
    tree = references.resolve(document.value)
    if not isinstance(tree, dict):
        raise ConfigError([Fault("", "must be a mapping of keys to values", line=1)])
    faults = list(references.faults)
    unresolved = {fault.path for fault in faults}
    try:
        bridge = BridgeFile.model_validate(tree)
        faults += rate_faults([("", bridge)], bridge.rate_limit_resources)
    except ValidationError as error:
        faults += (fault for fault in faults_of(error, BridgeFile) if fault.path not in unresolved)
    if faults:
        raise ConfigError(sorted(_placed(faults, document, references), key=lambda fault: fault.line or 0))
    return bridge


def _placed(faults: list[Fault], document: Document, references: References) -> Iterator[Fault]:
    for fault in faults:
        yield replace(references.conceal(fault), line=document.line_of(fault.path))
