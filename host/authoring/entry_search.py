"""Looks for a package's entry point in its source, without running any of it."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from functions.manifest import Manifest
from runtime.worker.entries import Entry

UNTOLD = {"exec", "eval", "globals", "setattr", "vars"}
"""Calls that may define names which the source does not show."""
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def entry_fault(root: Path, manifest: Manifest) -> tuple[str | None, str | None]:
    """What is wrong with the entry point, and what could not be told; the module's syntax is sound."""
    entry = Entry(manifest.handler, manifest.batch is not None)
    source = _source(root, entry.module)
    if source is None:
        return None, f"the module {entry.module} lies in `python_path`, which only the host can look into"
    file = source.relative_to(root).as_posix()
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, f"{file} is written for another Python, so its entry point was not looked for"
    wanted = entry.batch_names if entry.is_batch else [*entry.names, *entry.batch_names]
    names = set(_names(tree.body))
    if names & set(wanted):
        return None, None
    if _may_hide_names(tree):
        return None, f"{file} defines names while it runs, so whether it has {wanted[0]} is not known"
    return _nothing_found(file, entry, sorted(_functions(tree.body))), None


def _source(root: Path, module: str) -> Path | None:
    path = module.replace(".", "/")
    candidates = (root / f"{path}/__init__.py", root / f"{path}.py")
    return next((each for each in candidates if each.is_file()), None)


def _nothing_found(file: str, entry: Entry, found: list[str]) -> str:
    if entry.is_batch:
        name = entry.batch_names[0]
        return f"{file} has no `{name}(events, context)`, which `batch:` asks for; write it, or drop `batch:`"
    hint = f"; it defines {', '.join(found[:10])}" if found else ""
    return f"{file} has no function `{'` or `'.join(entry.names)}`{hint}. Name it, or say `handler:`"


def _names(body: Iterable[ast.stmt]) -> Iterator[str]:
    """What the statements of a module define at its top level, whichever branch is taken."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
            case _:
                yield from _assigned(node)
                yield from _names(_inner(node))


def _assigned(node: ast.stmt) -> Iterator[str]:
    inner = set(map(id, _inner(node)))
    for child in ast.iter_child_nodes(node):
        if id(child) not in inner:
            yield from _stored(child)


def _stored(node: ast.AST) -> Iterator[str]:
    """The names that an expression or target binds in the module, and not in a scope of its own."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _stored(child)


def _inner(node: ast.AST) -> list[ast.stmt]:
    """The statements inside of an `if`, `try`, `with` or loop."""
    parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    parts += [each.body for each in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]]
    return [each for part in parts if isinstance(part, list) for each in part if isinstance(each, ast.stmt)]


def _functions(body: Iterable[ast.stmt]) -> Iterator[str]:
    return (node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _may_hide_names(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in UNTOLD:
            return True
    return "__getattr__" in set(_names(tree.body))
