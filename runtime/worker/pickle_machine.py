"""Follows a pickle's opcodes with stand-ins for what they would make, and notes what it would import.

Nothing is imported and nothing called: an import is a name on the stack, and what a call gives is a note of
what was called with what. So a name that is put together from the memo or handed on is found as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .pickle_findings import LONGEST_NAME, Findings
from .pickle_opcodes import Argument, PickleFaultError, Source, operations

MOST_FIELDS = 1000
DEEPEST = 50
VERSION_KEYS = {"_sklearn_version": "scikit-learn"}
MOST_SIDES = 64  # numpy's own bound
LONGEST_SIDE = 2**40
UNKNOWN_ARRAY = "has an array of an unknown kind; what comes after it is not known"
UNKNOWN = "a name that it computes"
ARRAY_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
RECONSTRUCTORS = ("copyreg._reconstructor", "copy_reg._reconstructor")
DTYPE = re.compile(r"[<>|=]?([A-Za-z])(\d+)")


@dataclass(frozen=True, slots=True)
class _Import:
    name: str


@dataclass(slots=True)
class _Made:
    """What calling `of` with `arguments` would give, and the state that is given to it."""

    of: object
    arguments: object
    state: object = None


class _Other:
    """What nothing needs to be known of."""


OTHER = _Other()


def scan_stream(source: Source, findings: Findings, depth: int = 0) -> None:
    """Read one pickle, with the arrays that joblib lays between its opcodes; raises PickleFaultError."""
    if depth > DEEPEST:
        raise PickleFaultError("is nested too deep")
    machine = _Machine(findings)
    try:
        for name, argument in operations(source):
            findings.spend(source)
            machine.step(name, argument)
            if machine.array is not None:
                state, machine.array = machine.array, None
                _pass_array(source, state, findings, depth)
    except (IndexError, ValueError, TypeError):
        raise PickleFaultError("is no pickle, or a broken one: its opcodes do not fit together") from None


def _pass_array(source: Source, state: dict[str, object], findings: Findings, depth: int) -> None:
    """Go past what stands for an array (`joblib.numpy_pickle`, NumpyArrayWrapper.read_array)."""
    dtype, shape = state.get("dtype"), state.get("shape")
    told = dtype.arguments[0] if isinstance(dtype, _Made) and isinstance(dtype.arguments, tuple) else None
    kind = DTYPE.fullmatch(told) if isinstance(told, str) else None
    if kind is None or not isinstance(shape, tuple) or len(shape) > MOST_SIDES:
        raise PickleFaultError(UNKNOWN_ARRAY)
    if kind[1] == "O":
        scan_stream(source, findings, depth + 1)
        return
    if isinstance(state.get("numpy_array_alignment_bytes"), int):
        source.skip(source.read(1)[0])
    size = int(kind[2]) * (4 if kind[1] == "U" else 1)
    for length in shape:
        if not isinstance(length, int) or not 0 <= length <= LONGEST_SIDE:
            raise PickleFaultError(UNKNOWN_ARRAY)
        size *= length
    source.skip(size)


class _Machine:
    """The stack and memo of one pickle; `array` is the state of an array whose bytes come next."""

    def __init__(self, findings: Findings) -> None:
        self.array: dict[str, object] | None = None
        self._findings = findings
        self._stack: list[object] = []
        self._marked: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._steps: dict[str, Callable[[Argument], None]] = {
            name: getattr(self, f"_on_{name.lower()}") for name in _STEPS
        }

    def step(self, name: str, argument: Argument) -> None:
        """Go on by one opcode; raises IndexError, ValueError or TypeError for one that cannot be here."""
        if name in _PUSHES:
            self._stack.append(OTHER if argument is None else argument)
        else:
            self._steps[name](argument)

    def _since_mark(self) -> list[object]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _on_proto(self, argument: Argument) -> None:
        self._findings.protocol = max(self._findings.protocol, int(argument or 0))

    def _on_frame(self, argument: Argument) -> None:
        """Where frames end is of no interest here."""

    _on_stop = _on_readonly_buffer = _on_frame

    def _on_mark(self, argument: Argument) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _on_pop(self, argument: Argument) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._since_mark()

    def _on_pop_mark(self, argument: Argument) -> None:
        self._since_mark()

    def _on_dup(self, argument: Argument) -> None:
        self._stack.append(self._stack[-1])

    def _on_binpersid(self, argument: Argument) -> None:
        self._stack[-1] = OTHER

    def _on_ext(self, argument: Argument) -> None:
        self._import(f"copyreg's extension {_place(argument)}")

    def _on_get(self, argument: Argument) -> None:
        self._stack.append(self._memo.get(_place(argument), OTHER))

    def _on_put(self, argument: Argument) -> None:
        self._memo[_place(argument)] = self._stack[-1]

    def _on_memoize(self, argument: Argument) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _on_global(self, argument: Argument) -> None:
        self._import(UNKNOWN if argument is None else str(argument).replace(" ", ".", 1))

    def _on_stack_global(self, argument: Argument) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        known = isinstance(module, str) and isinstance(name, str)
        self._import(f"{module}.{name}" if known else UNKNOWN)

    def _import(self, name: str) -> None:
        name = name[:LONGEST_NAME]
        self._findings.note(self._findings.imports, name)
        self._stack.append(_Import(name))

    def _on_inst(self, argument: Argument) -> None:
        arguments = tuple(self._since_mark())
        self._on_global(argument)
        self._call(self._stack.pop(), arguments)

    def _on_obj(self, argument: Argument) -> None:
        kind, *arguments = self._since_mark()
        self._call(kind, tuple(arguments))

    def _on_reduce(self, argument: Argument) -> None:
        arguments = self._stack.pop()
        self._call(self._stack.pop(), arguments)

    def _call(self, called: object, arguments: object) -> None:
        name = _name_of(called)
        self._findings.note(self._findings.calls, name)
        if name in ("types.CodeType", "what cloudpickle.cloudpickle._builtin_type gives"):
            self._findings.note_code(arguments)
        self._stack.append(_Made(called, arguments))

    def _on_newobj(self, argument: Argument) -> None:
        arguments = self._stack.pop()
        self._stack.append(_Made(self._stack.pop(), arguments))

    def _on_newobj_ex(self, argument: Argument) -> None:
        self._stack.pop()
        self._on_newobj(argument)

    def _on_build(self, argument: Argument) -> None:
        state, made = self._stack.pop(), self._stack[-1]
        if isinstance(made, _Made):
            made.state = state
            if isinstance(state, dict) and _is_array(made):
                self.array = state

    def _on_tuple(self, argument: Argument) -> None:
        items = tuple(self._since_mark())
        self._stack.append(items)

    def _on_tuple1(self, argument: Argument) -> None:
        self._stack[-1:] = [(self._stack[-1],)]

    def _on_tuple2(self, argument: Argument) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _on_tuple3(self, argument: Argument) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _on_empty_tuple(self, argument: Argument) -> None:
        self._stack.append(())

    def _on_empty_dict(self, argument: Argument) -> None:
        self._stack.append({})

    def _on_dict(self, argument: Argument) -> None:
        items = self._since_mark()
        self._stack.append({})
        self._fill(items)

    def _on_setitem(self, argument: Argument) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._fill([key, value])

    def _on_setitems(self, argument: Argument) -> None:
        self._fill(self._since_mark())

    def _fill(self, items: list[object]) -> None:
        """Keep what may tell something of the mapping on top of the stack."""
        fields = self._stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str):
                continue
            if key in VERSION_KEYS and isinstance(value, str):
                self._findings.versions.setdefault(VERSION_KEYS[key], value[:LONGEST_NAME])
            if isinstance(fields, dict) and len(fields) < MOST_FIELDS:
                fields[key] = value

    def _on_append(self, argument: Argument) -> None:
        self._stack.pop()

    def _on_appends(self, argument: Argument) -> None:
        self._since_mark()

    _on_additems = _on_appends

    def _on_list(self, argument: Argument) -> None:
        self._since_mark()
        self._stack.append(OTHER)

    _on_frozenset = _on_list


_PUSHES = {"NONE", "NEWTRUE", "NEWFALSE", "EMPTY_LIST", "EMPTY_SET", "NEXT_BUFFER", "FLOAT", "INT", "LONG"}
_PUSHES |= {"PERSID", "STRING", "UNICODE", "BININT", "BINFLOAT", "BYTES", "BINLONG"}
_STEPS = tuple(name.removeprefix("_on_").upper() for name in vars(_Machine) if name.startswith("_on_"))


def _place(argument: Argument) -> int:
    if not isinstance(argument, int):
        raise TypeError("not a number")
    return argument


def _name_of(called: object) -> str:
    if isinstance(called, _Import):
        return called.name
    if isinstance(called, _Made):
        inner = called.of
        return f"what {inner.name if isinstance(inner, _Import) else 'a call'} gives"
    return UNKNOWN


def _is_array(made: _Made) -> bool:
    kind = made.of
    if isinstance(kind, _Import) and kind.name in RECONSTRUCTORS and isinstance(made.arguments, tuple):
        kind = made.arguments[0] if made.arguments else None
    return isinstance(kind, _Import) and kind.name == ARRAY_WRAPPER
