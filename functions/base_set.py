"""What the config gives to packages that do not say themselves what they need."""

from pathlib import Path

from conf.python import PythonVersion, Requirement
from conf.types import Section
from functions.manifest import Manifest
from functions.package import WHEELS
from functions.requirements import REQUIREMENTS


class BaseSet(Section):
    """Requirements and a Python version; `python` None is the host's own.

    It becomes part of a revision's identity as text: a package deployed again under another base set gets
    an environment, and so a revision number, of its own.
    """

    requirements: tuple[Requirement, ...] = ()
    python: PythonVersion | None = None

    def text(self) -> str:
        """The same text for the same set, empty for the empty one."""
        return self.model_dump_json(exclude_defaults=True) if self != BaseSet() else ""


def narrow(base: BaseSet, root: Path, manifest: Manifest) -> BaseSet:
    """What of `base` applies to the package unpacked in `root`.

    One with a requirements file (be it empty), `requirements:` or wheels says itself what it needs, and one
    with `python:` in its manifest what runs it.
    """
    speaks = bool(manifest.requirements) or (root / REQUIREMENTS).exists() or (root / WHEELS).is_dir()
    return BaseSet(
        requirements=() if speaks else base.requirements, python=None if manifest.python else base.python
    )
