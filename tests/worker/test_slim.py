"""What is kept out of an arbiter's start, and what must not be noticed of it."""

import ast
import inspect
from types import ModuleType
from typing import Any

import gunicorn.arbiter
import gunicorn.workers.base
import pytest
from gunicorn.config import Config

from runtime.worker.settings import ArbiterSettings
from runtime.worker.slim import UNUSED
from tests.hosts import RunningHost
from tests.worker.deploying import answer, deploy

# What `PoolApplication` sets, and what only code reads that `PoolArbiter` and `InstanceWorker` replace.
OURS = {"worker_class", "worker_class_str", "logger_class", "proc_name", "timeout", "workers", "preload_app"}
OURS |= {"control_socket_disable", "graceful_timeout", "address", "settings"}
REPLACED = {
    "control_socket",
    "control_socket_mode",
    "env_orig",
    "max_requests_jitter",
    "on_reload",
    "pre_exec",
}
REPLACED |= {"reload_engine", "reload_extra_files"}


def settings_read(module: ModuleType) -> set[str]:
    """The names that stand behind `cfg.` in a module."""
    tree = ast.parse(inspect.getsource(module))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("cfg")
    }


def value_of(setting: Any) -> Any:
    """A setting's value, in a form that can be compared."""
    return "a hook" if callable(setting) else tuple(setting) if isinstance(setting, list) else setting


@pytest.mark.parametrize("module", [gunicorn.arbiter, gunicorn.workers.base])
def test_the_settings_are_gunicorns_own_wherever_it_reads_them(module: ModuleType) -> None:
    theirs, ours = Config(), ArbiterSettings()
    read = settings_read(module) - REPLACED - OURS
    assert len(read) > 5
    for name in read:
        assert value_of(getattr(ours, name)) == value_of(getattr(theirs, name)), name


INDEX = f"""
import sys
before = {{name: sys.modules[name] for name in {UNUSED!r} if name in sys.modules}}
import datetime, email.utils, html, importlib.metadata, ssl, tempfile, urllib.parse

def _is_stand_in(value):
    return type(value).__name__ in ("StandIn", "Unused")

def _holders():
    for name, module in list(sys.modules.items()):
        if _is_stand_in(module) or any(map(_is_stand_in, list(vars(module).values()))):
            yield name

def index(event, context):
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    return [
        [type(module).__name__ for module in before.values() if _is_stand_in(module)],
        list(_holders()),
        [ssl.create_default_context().check_hostname, html.escape("<"), urllib.parse.quote(" ")],
        [email.utils.parseaddr("A <a@b.c>")[1], datetime.date(2026, 1, 2).isoformat()],
        issubclass(ssl.SSLError, OSError) and bool(list(importlib.metadata.distributions()) or True),
    ]
"""


def test_a_package_imports_the_real_modules_that_gunicorn_was_spared(shared_host: RunningHost) -> None:
    deploy(shared_host, "spared", INDEX)
    assert answer(shared_host, "spared") == [
        [],
        [],
        [True, "&lt;", "%20"],
        ["a@b.c", "2026-01-02"],
        True,
    ]


LOADED = """
import sys
loaded = sorted(sys.modules)
def index(event, context):
    return loaded
"""


def test_an_arbiter_has_loaded_nothing_large_that_the_package_did_not_ask_for(
    shared_host: RunningHost,
) -> None:
    deploy(shared_host, "bare", LOADED)
    large = {"argparse", "asyncio", "dataclasses", "pathlib", "pickle", "subprocess", "zipfile", *UNUSED}
    assert not large & set(answer(shared_host, "bare"))
