"""A package's exception becomes a record of type, message, place and a stack without frames of ours."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from runtime.worker.context import Context, Surroundings
from runtime.worker.failures import MAX_TEXT, LoadError, Record, describe_failure
from runtime.worker.frames import MAX_HEAD, encode
from runtime.worker.loader import run_hook
from runtime.worker.masks import Secrets, make_mask
from runtime.worker.models import Models


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], Record]:
    """Runs a package's hook in our own frames, and describes what it raised."""

    def run_code(code: str) -> Record:
        file = tmp_path / "index.py"
        file.write_text(code, encoding="utf-8")
        module = ModuleType("index")
        module.__file__ = str(file)
        around = Surroundings(
            "f", "1", str(tmp_path), str(tmp_path), 0, {}, Secrets(), (), Models(str(tmp_path), {})
        )
        try:
            exec(compile(code, str(file), "exec"), module.__dict__)
            run_hook(module.init, Context(around))
        except BaseException as error:
            return describe_failure(error, (str(tmp_path),))
        raise AssertionError("it raised nothing")

    return run_code


def assert_clean(record: Record) -> str:
    stack = "\n".join(record["stack"])
    assert "runtime/worker" not in stack
    assert "runtime.worker" not in stack
    assert "asyncio/" not in stack
    assert len(encode({"error": record})) < MAX_HEAD
    json.dumps(record)
    return stack


def test_the_place_is_the_innermost_line_of_the_package(run: Callable[[str], Record]) -> None:
    record = run("import json\ndef init(context):\n    inner()\ndef inner():\n    json.loads('{')\n")
    assert record["type"] == "JSONDecodeError"
    assert record["place"] == "index.py:5"
    stack = assert_clean(record)
    assert stack.startswith("Traceback (most recent call last):")
    assert "in init" in stack and "in inner" in stack and "json/decoder.py" in stack


def test_a_coroutine_hook_shows_no_event_loop(run: Callable[[str], Record]) -> None:
    record = run("async def init(context):\n    raise ValueError('no')\n")
    assert (record["place"], record["message"]) == ("index.py:2", "no")
    assert "in init" in assert_clean(record)


def test_causes_and_contexts_are_told_without_our_frames(run: Callable[[str], Record]) -> None:
    record = run(
        "def init(context):\n"
        "    try:\n        context.publish('x', 1)\n"
        "    except PermissionError as error:\n"
        "        try:\n            context.model('none.pkl')\n"
        "        except Exception:\n            raise ValueError('last') from error\n"
    )
    stack = assert_clean(record)
    assert "add it under `publish:`" in stack
    assert "The above exception was the direct cause" in stack
    assert record["place"] == "index.py:8"


def test_an_exception_group_is_told_with_all_its_parts(run: Callable[[str], Record]) -> None:
    record = run(
        "import asyncio\n"
        "async def one(context):\n    context.model('none.pkl')\n"
        "async def init(context):\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(one(context))\n"
    )
    assert record["type"] == "ExceptionGroup"
    stack = "\n".join(record["stack"])
    assert "runtime/worker" not in stack
    assert "in one" in stack and "none.pkl" in stack


def test_an_error_of_ours_in_a_hook_has_the_line_of_the_package(run: Callable[[str], Record]) -> None:
    record = run("def init(context):\n    context.model('none.pkl')\n")
    assert (record["type"], record["place"]) == ("LoadError", "index.py:2")
    assert assert_clean(record).splitlines()[-1].startswith("fnhost.LoadError: the model 'none.pkl'")


def test_an_error_found_while_loading_has_its_place_and_no_stack() -> None:
    record = describe_failure(LoadError("index.py has no function", "index.py"), ("/nowhere",))
    assert record == {
        "type": "LoadError",
        "message": "index.py has no function",
        "place": "index.py",
        "stack": [],
    }


def test_a_secret_where_a_message_is_cut_is_masked_and_one_in_a_type_too() -> None:
    secret = "p4ssw0rd_of_the_press"
    error = type(f"E{secret}", (Exception,), {})("y" * (MAX_TEXT - 9) + secret)
    record = describe_failure(error, (), mask=make_mask([secret]))
    assert "p4ss" not in json.dumps(record)
    assert (record["type"], record["message"][-3:]) == ("E***", "***")


def test_a_syntax_error_has_the_line_of_its_file(run: Callable[[str], Record]) -> None:
    assert run("def init(context):\n  x = = 1\n")["place"] == "index.py:2"


def test_a_syntax_error_of_a_text_has_the_line_that_read_it(run: Callable[[str], Record]) -> None:
    record = run("import ast\ndef init(context):\n    ast.literal_eval('1 +')\n")
    assert (record["type"], record["place"]) == ("SyntaxError", "index.py:3")


@pytest.mark.parametrize(
    "body",
    [
        "__str__ = lambda self: 1 / 0",
        "__str__ = lambda self: None",
        "__str__ = lambda self: exit('no')",
        "__repr__ = __str__ = lambda self: (_ for _ in ()).throw(KeyboardInterrupt)",
        "__notes__ = property(lambda self: 1 / 0)",
        "__notes__ = 7",
        "filename = 3; lineno = 'x'",
    ],
)
def test_an_exception_that_fails_when_it_is_looked_at_is_told_nevertheless(
    run: Callable[[str], Record], body: str
) -> None:
    base = "SyntaxError" if "filename" in body else "Exception"
    record = run(f"class Odd({base}):\n    {body}\ndef init(context):\n    raise Odd('x')\n")
    assert record["type"] == "Odd"
    assert_clean(record)


@pytest.mark.parametrize(
    "text", ["x" * 10_000_000, "\0" * 100_000, "\x1e\n" * 50_000, "😀" * 500_000, "\ud800"]
)
def test_a_message_of_any_size_and_kind_fits_into_a_frame(run: Callable[[str], Record], text: str) -> None:
    record = run(
        f"def init(context):\n    raise ValueError({text!r})\n"
        if len(text) < 9
        else f"def init(context):\n    raise ValueError({text[:2]!r} * {len(text) // 2})\n"
    )
    assert record["message"][:1] == text[0]
    assert_clean(record)


def test_an_endless_recursion_is_told_in_a_few_lines(run: Callable[[str], Record]) -> None:
    record = run("def init(context):\n    init(context)\n")
    assert record["type"] == "RecursionError"
    assert len(record["stack"]) <= 60


def test_a_long_chain_of_causes_is_told_by_its_end(run: Callable[[str], Record]) -> None:
    record = run(
        "def init(context):\n    error = None\n    for number in range(300):\n        try:\n"
        "            raise ValueError(number) from error\n"
        "        except ValueError as caught:\n            error = caught\n    raise error\n"
    )
    assert record["message"] == "299"
    assert record["stack"][-1] == "ValueError: 299"


def test_what_stops_a_process_is_told_like_any_exception(run: Callable[[str], Record]) -> None:
    assert run("import sys\ndef init(context):\n    sys.exit(3)\n")["type"] == "SystemExit"
    assert run("def init(context):\n    raise KeyboardInterrupt\n")["type"] == "KeyboardInterrupt"
