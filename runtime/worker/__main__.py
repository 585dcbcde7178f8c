"""Starts an arbiter by file path: `<interpreter> -I -S __main__.py CONTROL_FD`.

The order is the design's: read what the host says, enter the box, import gunicorn from the overlay and hide
it again, and only then let the venv's `site` and the package in.
"""

import importlib
import importlib.util
import os
import socket
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

PRIVATE_NAME = "_fnhost_worker"
BOX_FAILED = 5


def register_package() -> None:
    """Make this folder importable under a name that no package uses."""
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PRIVATE_NAME, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not readable")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PRIVATE_NAME] = module
    spec.loader.exec_module(module)


def take_channel(number: int) -> socket.socket:
    """The socket to the host, under the lowest number: a busy host has numbers that select(2) cannot take."""
    lowest = os.dup(number)
    os.close(number)
    return socket.socket(fileno=lowest)


def hide(name: str) -> None:
    """Forget a package that was imported for us, so that the function may bring its own version of it."""
    for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[loaded]


def enter_box(box: ModuleType, message: dict[str, Any], tell: Callable[[object], None]) -> None:
    """Be confined as the host says, tell it how that went, and see that what is needed can be read.

    The plan in the message is without what does not stand from then on. Raises the box's BoxError.
    """
    plan = importlib.import_module(f"{PRIVATE_NAME}.box_plan").BoxPlan(**message["box"])
    walls = box.enter_box(message["parent"], plan)
    tell(walls)
    message["box"] = plan.standing(walls)._asdict()
    ours = [
        os.path.dirname(__file__),
        message["overlay"],
        message["pickle_overlay"],
        os.path.dirname(os.__file__),
    ]
    box.check_reach([*ours, message["package_dir"], *message["python_path"]])


def take_environment(added: dict[str, str]) -> None:
    """Set the manifest's variables, which nothing before the box may see."""
    os.environ.update(added)
    time.tzset()


def main() -> None:
    """Become the arbiter of one pool."""
    register_package()
    control = importlib.import_module(f"{PRIVATE_NAME}.control")
    box = importlib.import_module(f"{PRIVATE_NAME}.box")
    channel = take_channel(int(sys.argv[1]))
    box.close_others(channel.fileno())
    message, _ = control.receive(channel)
    if message is None or "box" not in message:
        # The host has changed its mind.
        sys.exit(0)
    try:
        enter_box(box, message, lambda walls: control.send(channel, {"op": "boxed", "walls": walls}))
    except box.BoxError as error:
        failure: dict[str, Any] = {"type": "BoxError", "message": str(error), "place": None, "stack": []}
        control.send(channel, {"op": "failed", "error": failure})
        sys.exit(BOX_FAILED)
    take_environment(message["env"])
    importlib.import_module(f"{PRIVATE_NAME}.slim").import_gunicorn(message["overlay"])
    shares = message["isolation"] == "subinterpreter"
    runner = importlib.import_module(f"{PRIVATE_NAME}.{'shared' if shares else 'arbiter'}")
    setup = importlib.import_module(f"{PRIVATE_NAME}.setup")
    hide("gunicorn")
    if not shares:
        importlib.import_module(f"{PRIVATE_NAME}.paths").let_in(message)
    given = setup.Setup(message)
    given.capture_output()
    given.register_stack_dump()
    (runner.run_shared if shares else runner.run_arbiter)(given, channel)


if __name__ == "__main__":
    main()
