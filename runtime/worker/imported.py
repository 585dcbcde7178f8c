"""Which installed modules this process has imported, for the host to keep their byte code."""

import sys

MOST_BYTES = 512 * 1024
INSTALLED = "/site-packages/"


def list_imported() -> list[str]:
    """The source files of modules in a `site-packages` folder, as many as travel in one frame."""
    found: list[str] = []
    room = MOST_BYTES
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and INSTALLED in file and file.endswith(".py"):
            room -= len(file.encode("utf-8", "surrogatepass")) + 4
            if room < 0:
                break
            found.append(file)
    return found
