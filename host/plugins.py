"""Parts and triggers of other distributions, found by entry points (`docs/parts.md`)."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from conf.models import Config
from host.lifecycle import Part, PartError
from runtime.events import Dispatch

GROUPS = ("fnhost.parts", "fnhost.triggers")


@dataclass(frozen=True)
class HostInfo:
    """What a part of another distribution is handed: how to invoke, the config, a folder to write to."""

    dispatch: Dispatch
    config: Config
    state_dir: Path


def load_plugins(info: HostInfo) -> list[Part]:
    """Build every part found; an entry point is a callable that takes HostInfo and returns a Part."""
    return [_build(entry.name, entry.load, info) for group in GROUPS for entry in entry_points(group=group)]


def _build(name: str, load: Callable[[], Callable[[HostInfo], Part]], info: HostInfo) -> Part:
    try:
        part = load()(info)
    except Exception as error:
        raise PartError(
            f"the part {name} cannot be loaded: {type(error).__name__}: {error}; mend or uninstall it"
        ) from error
    if not isinstance(part, Part):
        raise PartError(f"the part {name} is a {type(part).__name__}, not a host.lifecycle.Part")
    return part
