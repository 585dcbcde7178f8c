"""What a package brings has no say in how its processes are started: the box stands before."""

import io
import sys
import zipfile

from tests.attacks.siege import Siege, explain
from tests.hosts import Files

SMALL = "timeout: 20s\nscale: {max: 1}\n"
SHOW = """
import os, probes, sys
def index(event, context):
    attempts = {path: lambda path=path: open(path).close() for path in event["secret"]}
    return {
        "os": os.__file__, "prefix": sys.prefix, "executable": sys.executable,
        "preload": os.environ.get("LD_PRELOAD"),
        "read": probes.run(attempts),
    }
"""
FALSE_OS = "import sys\nsys.stderr.write('HARM')\nraise SystemExit(9)\n"


def _wheel(homes: list[str]) -> bytes:
    """A wheel that puts a `pyvenv.cfg` of its own, and a standard library, into the environment."""
    library = f"evil-1.0.data/data/lib/python{sys.version_info.major}.{sys.version_info.minor}"
    files = {
        "evil-1.0.data/data/pyvenv.cfg": "".join(f"home = {home}\n" for home in homes),
        f"{library}/os.py": FALSE_OS,
        f"{library}/encodings/__init__.py": FALSE_OS,
        "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        "evil-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "evil-1.0.dist-info/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_variable_of_the_manifest_is_set_only_once_the_box_stands(siege: Siege) -> None:
    manifest = SMALL + "env: {LD_PRELOAD: ./harm.so}\n"
    with siege.attacker({"index.py": SHOW, "harm.so": "no library", "function.yaml": manifest}) as attacker:
        told = attacker.attack({"secret": []}).json()
        assert told["preload"] == "./harm.so", explain(told)
        assert "cannot be preloaded" not in attacker.logs()


def test_a_wheel_has_no_say_in_which_interpreter_is_started_or_what_it_may_read(siege: Siege) -> None:
    state = siege.host.state
    venvs = [state / "environments" / "attacker" / str(number) / "venv" for number in range(1, 9)]
    homes = [*(str(venv / "bin") for venv in venvs), "/bin/../../etc/x", str(state / "bin")]
    files: Files = {
        "index.py": SHOW,
        "requirements.txt": "evil==1.0\n",
        "wheels/evil-1.0-py3-none-any.whl": _wheel(homes),
        "function.yaml": SMALL,
    }
    with siege.attacker(files) as attacker:
        venv = next(venv for venv in venvs if venv.exists())
        assert str(state) in (venv / "pyvenv.cfg").read_text(encoding="utf-8"), "the wheel's own is there"
        told = attacker.attack({"secret": [str(state / "local.token"), "/etc/shadow"]}).json()
        assert str(state / "environments") not in told["os"], explain(told)
        assert (told["prefix"], told["executable"]) == (str(venv), str(venv / "bin" / "python"))
        assert set(told["read"].values()) <= {"EACCES", "EPERM"}, explain(told)
        assert "HARM" not in attacker.logs() + siege.host.log()
