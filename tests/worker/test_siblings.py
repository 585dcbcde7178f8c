"""Old packages run as they are: their own modules by relative, plain and the older program's names."""

import pytest

from tests.hosts import Files, RunningHost
from tests.worker.deploying import answer, deploy

OLD = "pyboot.modules.gridsum.science"
HELPER = "loads = []\nloads.append(1)\nclass Model:\n    def predict(self):\n        return 21\n"


def test_a_module_has_one_state_by_whatever_name_it_is_imported(shared_host: RunningHost) -> None:
    index = f"""
import sys
import helper
from . import helper as relative
from .helper import Model
from {OLD}.TREND.helper import Model as old
import {OLD}.any_other.helper as other
def handler(event, context):
    same = relative is helper is other and Model is old is helper.Model
    me = sys.modules[__name__] is sys.modules["{OLD}.TREND.index"]
    return [same, me, helper.loads, helper.__name__, __name__]
import {OLD}.TREND.index
"""
    deploy(shared_host, "one_state", index, files={"helper.py": HELPER})
    assert answer(shared_host, "one_state") == [True, True, [1], "helper", "index"]


def test_modules_in_folders_import_each_other_relatively_upwards_and_in_circles(
    shared_host: RunningHost,
) -> None:
    files = {
        "parts/__init__.py": "from .inner import deep\n",
        "parts/inner.py": "from ..helper import BASE\nfrom .. import helper\nfrom . import other\n"
        "def deep():\n    return [BASE, helper.BASE, other.NAME, bare.data.VALUE]\n"
        "from ..bare import data\nfrom .. import bare\n",
        "parts/other.py": "NAME = __name__\n",
        "bare/data.py": "VALUE = 'without __init__'\n",
        "helper.py": "BASE = 3\nfrom .circle import BACK\n",
        "circle.py": "from .helper import BASE\nimport helper\nBACK = BASE + helper.BASE\n",
    }
    index = f"""
from .parts import deep
from .helper import BACK
import {OLD}.x.parts.inner
import parts.inner
def index(event, context):
    return [*deep(), BACK, parts.inner is {OLD}.x.parts.inner]
"""
    deploy(shared_host, "folders", index, files=files)
    assert answer(shared_host, "folders") == [3, 3, "parts.other", "without __init__", 6, True]


def test_a_module_named_like_one_of_pythons_own_is_found_relatively(shared_host: RunningHost) -> None:
    files = {"json.py": "NAME = 'mine'\n", "queue.py": "NAME = 'mine, too'\n"}
    index = f"""
import json
from .json import NAME
from {OLD}.x.queue import NAME as OTHER
def index(event, context):
    return [NAME, OTHER, json.loads("1")]
"""
    deploy(shared_host, "namesake", index, files=files)
    assert answer(shared_host, "namesake") == ["mine", "mine, too", 1]


def test_what_the_package_itself_defines_is_imported_relatively(shared_host: RunningHost) -> None:
    index = "from . import LIMIT\nfrom .index import __name__ as name\ndef index(event, context):\n"
    deploy(shared_host, "init", f"{index}    return [LIMIT, name]\n", files={"__init__.py": "LIMIT = 7\n"})
    assert answer(shared_host, "init") == [7, "index"]


@pytest.mark.parametrize(
    ("index", "detail"),
    [
        (
            "from .absent import x\n",
            "index.py:1: ModuleNotFoundError: No module named 'fnhost_package.absent'",
        ),
        ("from .json import x\n", "index.py:1: ModuleNotFoundError: No module named 'fnhost_package.json'"),
        (
            f"\nimport {OLD}.x.absent\n",
            f"index.py:2: ModuleNotFoundError: No module named '{OLD}.x.absent'",
        ),
        ("import pyboot.conf\n", "index.py:1: ModuleNotFoundError: No module named 'pyboot.conf'"),
        ("from .helper import x\n", "helper.py:2: ZeroDivisionError: division by zero"),
    ],
)
def test_a_sibling_that_is_not_there_or_raises_is_named(
    shared_host: RunningHost, index: str, detail: str
) -> None:
    told = shared_host.deploy({"index.py": index, "helper.py": "\n1 / 0\n"}, "absent")
    assert told["detail"] == detail


def test_a_real_pyboot_wins(shared_host: RunningHost) -> None:
    files: Files = {
        "pyboot/__init__.py": "",
        "pyboot/modules/gridsum/science/industry/telemetry.py": "def run(event):\n    return __name__\n",
        "telemetry.py": "",
    }
    index = f"from {OLD}.industry.telemetry import run\ndef index(event, context):\n    return run(event)\n"
    deploy(shared_host, "real", index, files=files)
    assert answer(shared_host, "real") == f"{OLD}.industry.telemetry"


PICKLES = """
import pickle
from .helper import Model
Model.__module__ = {module!r}
found = pickle.loads(pickle.dumps(Model()))
def index(event, context):
    return [found.predict(), type(found) is Model]
"""


@pytest.mark.parametrize("module", [f"{OLD}.TYPE.helper", "helper", f"{OLD}.类型.helper"])
def test_pickles_load_that_name_classes_as_the_older_program_did(
    shared_host: RunningHost, module: str
) -> None:
    deploy(shared_host, "pickles", PICKLES.format(module=module), files={"helper.py": HELPER})
    assert answer(shared_host, "pickles") == [21, True]


@pytest.mark.parametrize("name", ["TYPE_TREND_WARNING1644570851718", "阈值_Zd-2", "_under.score"])
def test_names_are_those_of_the_older_program(shared_host: RunningHost, name: str) -> None:
    index = f"from {OLD}.{name.split('-')[0].split('.')[0]}.helper import Model\n"
    index += "def index(event, context):\n    return [context.function_name, Model().predict()]\n"
    deploy(shared_host, name, index, files={"helper.py": HELPER})
    assert answer(shared_host, name) == [name, 21]
