"""Starts the run of one event by file path: `<interpreter> -I -S by_hand.py ORDER_FD` (`single.py`)."""

import importlib
import importlib.util
import json
import os
import sys
from types import ModuleType


def _load_main() -> ModuleType:
    """What starts an arbiter, from the file beside this one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")
    spec = importlib.util.spec_from_file_location("_fnhost_main", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not readable")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Run what the order says; returns the exit code."""
    with open(int(sys.argv[1]), encoding="utf-8") as file:
        order = json.load(file)
    main_module = _load_main()
    main_module.register_package()
    importlib.import_module(f"{main_module.PRIVATE_NAME}.box").die_with(order["parent"])
    main_module.take_environment(order["setup"]["env"])
    paths = importlib.import_module(f"{main_module.PRIVATE_NAME}.paths")
    paths.let_in(order["setup"])
    single = importlib.import_module(f"{main_module.PRIVATE_NAME}.single")
    code: int = single.run_order(order)
    return code


if __name__ == "__main__":
    sys.exit(main())
