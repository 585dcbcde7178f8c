"""How the tests of the config read one from a piece of YAML."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from conf.faults import ConfigError, Fault
from conf.load import load_config
from conf.models import Config


def read(folder: Path, text: str, env: Mapping[str, str] | None = None) -> Config:
    """The config in `text`, as if it stood in `folder`."""
    path = folder / "fnhost.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_config(path, env or {})


def faults(folder: Path, text: str, env: Mapping[str, str] | None = None) -> dict[str, Fault]:
    """The faults of `text` by path."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, env)
    return {fault.path: fault for fault in caught.value.faults}
