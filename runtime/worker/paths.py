"""Lets a package and its environment in: their folders on `sys.path`, and what finds modules in them."""

import os
import site
import sys
from typing import Any

from . import siblings


def let_in(message: dict[str, Any]) -> None:
    """Run the environment's `site`, then put the package's folders first and cloudpickle's last."""
    sys.argv = [message["label"]]
    standard = sys.path.copy()
    _be_virtual(message["python"])
    site.main()
    sys.path[:0] = [message["package_dir"], *message["python_path"]]
    siblings.install(message["package_dir"], standard)
    sys.path.append(message["pickle_overlay"])


def _be_virtual(python: str) -> None:
    """Pass for the environment's own interpreter, which none of its files had a say in starting."""
    environment = os.path.dirname(os.path.dirname(python))
    if os.path.exists(os.path.join(environment, "pyvenv.cfg")):
        sys.executable = python
        sys.prefix = sys.exec_prefix = environment
