"""Imports go down only: host > triggers > runtime > functions > conf."""

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.project.tree import ROOT, tracked_files

LAYERS = ("host", "triggers", "runtime", "functions", "conf")
SAMPLES = ("functions/samples/", "functions/templates/")
WORKER = "runtime/worker/"
OF_THE_WORKER = {"gunicorn", "cloudpickle", "runtime.worker"}
OF_THE_PACKAGE = {"joblib", "onnxruntime"}  # imported when a package's model needs them, from its environment


def sources(layer: str) -> Iterator[str]:
    """The layer's modules; sample packages are what users would write, and belong to none."""
    for name in tracked_files():
        if name.startswith(f"{layer}/") and name.endswith(".py") and not name.startswith(SAMPLES):
            yield name


def imports(name: str, *, lazy: bool = True) -> Iterator[str]:
    """The absolute name of every module that a file imports; without `lazy`, of those at its top level."""
    package = name.split("/")[:-1]
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    for node in ast.walk(tree) if lazy else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*above, *([node.module] if node.module else [])])


def is_within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_itself_and_those_below(layer: str) -> None:
    above = {*LAYERS[: LAYERS.index(layer)], "tests"}
    wrong = [
        (name, module) for name in sources(layer) for module in imports(name) if is_within(module, above)
    ]
    assert wrong == []


def test_the_store_knows_nothing_of_who_works_off_what_it_keeps() -> None:
    found = [(name, module) for name in sources("triggers/store") for module in imports(name)]
    assert "triggers.store.rows" in {module for _, module in found}
    inside = [each for each in found if is_within(each[1], {"triggers"})]
    assert [each for each in inside if not is_within(each[1], {"triggers.store"})] == []


@pytest.mark.parametrize("lazy", [True, False])
def test_what_runs_inside_of_functions_imports_only_what_is_there(lazy: bool) -> None:
    allowed = OF_THE_WORKER | set(sys.stdlib_module_names) | (OF_THE_PACKAGE if lazy else set())
    files = [name for name in sources("runtime") if name.startswith(WORKER)]
    found = [(name, module) for name in files for module in imports(name, lazy=lazy)]
    assert [each for each in found if not is_within(each[1], allowed)] == []


def test_nothing_but_what_runs_inside_of_functions_can_unpickle() -> None:
    names = [name for layer in LAYERS for name in sources(layer) if not name.startswith(WORKER)]
    unpicklers = {"pickle", "_pickle", "cloudpickle", "joblib", "shelve"}
    assert [name for name in names for module in imports(name) if is_within(module, unpicklers)] == []


def test_every_layer_is_seen() -> None:
    assert all(len(list(sources(layer))) > 5 for layer in LAYERS)
    assert "runtime.worker" in {module for name in sources("runtime") for module in imports(name)}
    assert is_within("host.demo.run", {"host"}) and not is_within("hosts", {"host"})
