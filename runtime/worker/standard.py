"""The modules of Python's own that a package always gets, also where it has a module of the same name."""

from importlib.machinery import ModuleSpec, PathFinder

# What gunicorn and we import sooner or later, and what these import in their turn (Python 3.11 to 3.14). A
# name that is not here, such as `statistics`, is the package's own if it has a module called so.
# fmt: off
CLAIMED = frozenset((
    "__future__", "annotationlib", "argparse", "ast", "asyncio", "base64", "binascii",
    "bz2", "calendar", "compression", "concurrent", "copy", "csv", "dataclasses",
    "datetime", "dis", "email", "fnmatch", "gettext", "glob", "grp", "html", "inspect",
    "ipaddress", "linecache", "locale", "lzma", "ntpath", "numbers", "opcode", "pathlib",
    "pickle", "pickletools", "platform", "quopri", "random", "reprlib", "shlex", "shutil",
    "ssl", "string", "subprocess", "tempfile", "textwrap", "token", "tokenize", "traceback",
    "urllib", "zipfile", "zlib",
))
# fmt: on


class StandardFinder:
    """Finds them in `folders`: all that Python looks into before there are a venv's and a package's.

    We import most of them only where a function needs them, when `sys.path` begins with the package. Were
    they found there, a package's `inspect.py` would break us and half of Python's own library.
    """

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The spec of a claimed module, or of one with an underscore, which are Python's own business."""
        if path is None and (name in CLAIMED or name.startswith("_")):
            return PathFinder.find_spec(name, self._folders)
        return None
