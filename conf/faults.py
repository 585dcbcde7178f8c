"""What is wrong with a document, said by path, in plain words, with a hint."""

import difflib
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from conf.quantities import say_size, write_duration
from conf.units import parse_duration, parse_size

Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `path` reads `rules[0].sub.topic`, `line` counts from 1."""

    path: str
    message: str
    hint: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        path = f"{self.path}: " if self.path else ""
        return f"{where}{path}{self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(Exception):
    """The config cannot be used; `faults` holds every reason, `source` names the file if there is one.

    `is_config` is False for a file that may be anything: no mapping, or one without a key of a config.
    """

    def __init__(self, faults: list[Fault], source: str | None = None, is_config: bool = True) -> None:
        super().__init__(faults, source)
        self.faults = faults
        self.source = source
        self.is_config = is_config

    def told_afar(self) -> "ConfigError":
        """The same for who may not have the file: of one that is no config nothing but the lines."""
        if self.is_config:
            return self
        message = "is no config; `fnhost config check` on the host's machine says why"
        lines = dict.fromkeys(fault.line for fault in self.faults)
        return ConfigError([Fault("", message, line=line) for line in lines], self.source)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return f"{self.source}: {self.faults[0]}" if self.source else str(self.faults[0])
        head = f"{len(self.faults)} faults" + (f" in {self.source}" if self.source else "")
        return "\n".join([f"{head}:", *(f"  {fault}" for fault in self.faults)])


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Every fault in `error`, in the order of the model's keys; `model` knows the keys to hint at."""
    return [_fault(detail, model) for detail in error.errors(include_url=False, include_input=False)]


def dotted(location: Location) -> str:
    """`("rules", 0, "sub")` reads `rules[0].sub`."""
    path = ""
    for step in location:
        path = below(path, step)
    return path


def below(path: str, step: int | str) -> str:
    """The path of what stands under the key or at the index `step` of what has `path`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that `word` was probably meant to be, case set aside."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> Fault:
    location = tuple(step for step in detail["loc"] if step != "[key]")  # pydantic's own mark, not a key
    # A validator's own error may know more than its message says.
    hint = getattr(detail.get("ctx", {}).get("error"), "hint", None)
    if detail["type"] == "extra_forbidden":
        hint = _known_key_hint(location, model)
    return Fault(dotted(location), _plain(detail, location, model), hint)


PLAIN = {
    "missing": "is required",
    "extra_forbidden": "is not a known key",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "dataclass_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must not be empty",
    "invalid_key": "a key must be text; write it in quotes",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}

BOUNDS = frozenset({"gt", "ge", "lt", "le"})
WRITERS: dict[object, Callable[[float], str]] = {parse_duration: write_duration, parse_size: say_size}
"""How a bound is said, by what reads the values that it bounds."""


def _plain(detail: ErrorDetails, location: Location, model: type[BaseModel]) -> str:
    context = detail.get("ctx", {})
    if BOUNDS & context.keys():
        write = _writer(location, model)
        context = {key: write(value) if key in BOUNDS else value for key, value in context.items()}
    if detail["type"] in PLAIN:
        return PLAIN[detail["type"]].format(**context)
    if "error" in context:
        return str(context["error"])
    return detail["msg"].replace("Input should", "must", 1)


def _writer(location: Location, model: type[BaseModel]) -> Callable[[float], str]:
    owner = _model_at(location[:-1], model)
    field = _field(owner, str(location[-1])) if owner else None
    readers = [getattr(mark, "func", None) for mark in _marks(field)] if field else []
    return next((WRITERS[each] for each in readers if each in WRITERS), "{:g}".format)


def _marks(field: FieldInfo) -> Iterator[object]:
    """What stands beside the field's type, or beside one of those that `X | None` joins."""
    yield from field.metadata
    for inner in typing.get_args(field.annotation):
        yield from getattr(inner, "__metadata__", ())


def _known_key_hint(location: Location, model: type[BaseModel]) -> str | None:
    owner = _model_at(location[:-1], model)
    known = _keys(owner) if owner else []
    if (near := nearest(str(location[-1]), known)) is not None:
        return f"did you mean `{near}`?"
    return f"known keys: {', '.join(known)}" if known else None


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel] | None:
    """The model that describes the mapping at `location`."""
    here: type[BaseModel] | None = model
    for step in location:
        if here is None or isinstance(step, int):
            continue  # the step before it, a list's key, has already led to the items' model
        field = _field(here, step)
        here = _model_in(field.annotation) if field else None
    return here


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return field
    return None


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model inside `list[Rule]`, `Scale | None` and their like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_origin(annotation):
        for inner in typing.get_args(annotation):
            if (model := _model_in(inner)) is not None:
                return model
    return None
