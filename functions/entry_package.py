"""Makes a package of a callable that lies in the user's own folders, so that it runs like any other."""

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from functions.manifest import MANIFEST_NAMES
from functions.package import EPOCH


@dataclass(frozen=True)
class EntryOrder:
    """A callable, `package.module.callable`, and the folders in which it is found."""

    entry: str
    python_path: tuple[Path, ...]

    def __str__(self) -> str:
        return f"{self.entry} in {', '.join(map(str, self.python_path))}"


def pack_entry(order: EntryOrder, target: Path) -> None:
    """Write a package that calls the callable with the text of each event.

    The package holds a manifest and no code: the same entry and folders give the same bytes, whatever the
    modules in the folders hold.
    """
    module, _, name = order.entry.rpartition(".")
    manifest = {
        "handler": f"{module}:{name}",
        "python_path": [os.path.abspath(folder) for folder in order.python_path],
        "accepts": "text",
    }
    with zipfile.ZipFile(target, "w") as archive:
        # JSON is YAML as well.
        archive.writestr(zipfile.ZipInfo(MANIFEST_NAMES[0], EPOCH), json.dumps(manifest, indent=1))
