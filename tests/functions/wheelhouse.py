"""Makes tiny wheels, and serves them as a package index on the loopback."""

import functools
import hashlib
import http.server
import io
import tarfile
import textwrap
import threading
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path, name: str, version: str, requires: str = "") -> Path:
    """A wheel of one module `name` that knows its `version`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    module = f"version = {version!r}\n"
    digest = digest_of(module.encode())
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", module)
        wheel.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", f"{name}.py,sha256={digest},{len(module)}\n")
    return path


def digest_of(source: bytes) -> str:
    """SHA-256 as a RECORD has it."""
    return urlsafe_b64encode(hashlib.sha256(source).digest()).decode().rstrip("=")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """The address of an index with every distribution that lies in `folder`/<package name>/."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


BACKEND = """
import os, pathlib, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
{code}
    import zipfile
    name = "{name}-{version}-py3-none-any.whl"
    info = "{name}-{version}.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("{name}.py", f"built = {{tried!r}}")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(info + "/WHEEL", {wheel!r})
        wheel.writestr(info + "/RECORD", "")
    return name
"""


def make_sdist(folder: Path, name: str, version: str, code: str) -> Path:
    """A source distribution; building it runs `code`, whose `tried` becomes the module's `built`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    backend = BACKEND.format(code=textwrap.indent(code, "    "), name=name, version=version, wheel=WHEEL)
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "backend.py": backend,
        "pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            f'[project]\nname = "{name}"\nversion = "{version}"\n'
        ),
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(f"{name}-{version}/{file}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path
