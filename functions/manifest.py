"""The manifest `function.yaml`: what a package says of itself, and how its faults are told."""

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from conf.document import read_document
from conf.faults import ConfigError, Fault, faults_of
from conf.names import Name
from conf.python import PythonVersion, Requirement
from conf.resources import Isolation, Network, Processes, Resources, check_memory
from conf.topics import check_filter
from conf.types import LONGEST_QUEUE, Section, Share, Whole
from conf.units import Duration, Size
from functions.errors import PackageError
from functions.input_schema import check_input

MIB = 1024 * 1024
MANIFEST_NAMES = ("function.yaml", "function.yml")
LONGEST_MANIFEST = 256 * 1024
CONCURRENCY = "Events that one instance handles at a time: coroutines, or threads of a plain function."
TRUTH = TypeAdapter(bool)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _check_handler(handler: str) -> str:
    module, _, name = handler.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), name]):
        raise ValueError(f"{handler!r} is not an entry point; write module:name, such as index:index")
    return handler


def _check_inner_path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not path or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} is not a file of the package; write a path relative to its folder")
    return path


def _check_folder(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"{path!r} is not a folder of the host; write its whole path, from / on")
    return path


def _check_variable(name: str) -> str:
    if not VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an environment variable or a secret")
    return name


def _read_value(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _check_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("an environment variable cannot hold a NUL character")
    return value


def _read_preload(value: object) -> object:
    try:
        return value if value == "always" else TRUTH.validate_python(value)
    except ValidationError:
        raise ValueError("must be true, false or always") from None


Handler = Annotated[str, AfterValidator(_check_handler)]
InnerPath = Annotated[str, AfterValidator(_check_inner_path)]
Folder = Annotated[str, AfterValidator(_check_folder)]
TopicFilter = Annotated[str, AfterValidator(check_filter)]
Variable = Annotated[str, AfterValidator(_check_variable)]
VariableValue = Annotated[str, BeforeValidator(_read_value), AfterValidator(_check_value)]
InputSchema = Annotated[dict[str, Any] | str | None, BeforeValidator(check_input)]
Preload = Annotated[Literal[True, False, "always"], BeforeValidator(_read_preload)]


class Scale(Section):
    """How few and how many instances the pool has, how busy they are meant to be, and how long they stay."""

    min: Whole = Field(0, ge=0)
    max: Whole = Field(4, ge=1)
    target: Share = 0.7
    idle: Duration = 60.0
    keep_warm: Duration = 600.0

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min}, more than max, which is {self.max}")
        return self


class Batch(Section):
    """How many events one call of `index_batch` gets, and how long the first may wait for the others."""

    max_size: Whole = Field(ge=1, le=1000)
    max_wait: Duration = Field(0.005, le=10)


class Manifest(Section):
    """`function.yaml`; every key is optional. Durations are in seconds, sizes in bytes."""

    name: Name | None = Field(None, description="The function's name; else the package's file name.")
    description: str = Field("", description="One line for people.")
    handler: Handler | None = Field(
        None, description="Entry point module:name; else index:index or index:handler."
    )
    python_path: tuple[Folder, ...] = Field(
        (), description="Folders of the host in which modules are found, after the package's own."
    )
    accepts: Literal["json", "text", "bytes"] = Field("json", description="What `event` is.")
    input: InputSchema = Field(
        None, description="What events look like: a JSON Schema, or a `.json` file with one; see below."
    )
    python: PythonVersion | None = Field(None, description="Python version in quotes; else the host's own.")
    requirements: tuple[Requirement, ...] = Field((), description="Added to those of requirements.txt.")
    build: bool = Field(False, description="Whether requirements may be built from source.")
    timeout: Duration = Field(30.0, gt=0, description="From an event's arrival to its answer.")
    startup_timeout: Duration = Field(60.0, gt=0, description="For import, models and `init`.")
    concurrency: Whole = Field(1, ge=1, le=1000, description=CONCURRENCY)
    threads: Whole = Field(1, ge=1, le=1024, description="Threads of the numeric libraries per instance.")
    scale: Scale = Field(
        default_factory=lambda: Scale.model_validate({}),
        description="Fewest and most instances, and how long they are kept; see below.",
    )
    batch: Batch | None = Field(None, description="Calls `index_batch` with several events; see below.")
    queue: Whole = Field(1000, ge=1, le=LONGEST_QUEUE, description="Events that may wait, 100,000 at most.")
    memory: Size | None = Field(None, gt=0, description="Limit for the pool; short for `resources.memory`.")
    resources: Resources | None = Field(None, description="Memory and processors for the pool; see below.")
    processes: Processes = Field(0, description="Processes of its own that each instance may start.")
    network: Network = Field("allow", description="`none`: no connections; `allow` is the default.")
    isolation: Isolation = Field("process", description="Or `subinterpreter`: share a process; see below.")
    env: dict[Variable, VariableValue] = Field({}, description="Environment variables.")
    secrets: tuple[Variable, ...] = Field((), description="Secrets of the host that `context.secrets` has.")
    models: dict[str, InnerPath] = Field(
        {}, description="Model files by name; `model: x.pkl` for the only one."
    )
    strict_versions: bool = Field(
        False, description="Whether models made with other versions than are installed refuse the deploy."
    )
    publish: tuple[TopicFilter, ...] = Field((), description="Topics that context.publish may use.")
    idempotent: bool = Field(False, description="Whether an event may be run again after a crash.")
    max_event: Size = Field(6 * MIB, gt=0, description="Largest event.")
    max_result: Size = Field(6 * MIB, gt=0, description="Largest result.")
    preload: Preload = Field(
        True, description="Whether the package is loaded once and instances are forked from it; see below."
    )

    @model_validator(mode="before")
    @classmethod
    def _expand_model(cls, data: object) -> object:
        """`model: x.pkl` is short for `models: {default: x.pkl}`."""
        if not isinstance(data, dict) or "model" not in data:
            return data
        if "models" in data:
            raise ValueError("write either `model` or `models`, not both")
        rest = {key: value for key, value in data.items() if key != "model"}
        return rest | {"models": {"default": data["model"]}}

    @model_validator(mode="after")
    def _check_resources(self) -> Self:
        check_memory(self.memory, self.resources)
        return self


def read_manifest(text: str) -> Manifest:
    """The manifest in `text` (YAML). Raises PackageError that lists every fault by path and line."""
    if len(text) > LONGEST_MANIFEST:
        raise PackageError(
            f"function.yaml is longer than {LONGEST_MANIFEST} characters; shorten it", MANIFEST_NAMES[0]
        )
    try:
        document = read_document(text.encode())
    except ConfigError as error:
        raise _faulty(error.faults) from None
    try:
        return Manifest.model_validate({} if document.value is None else document.value)
    except ValidationError as error:
        faults = faults_of(error, Manifest)
        raise _faulty([replace(fault, line=document.line_of(fault.path)) for fault in faults]) from None


def _faulty(faults: list[Fault]) -> PackageError:
    return PackageError(str(ConfigError(faults, MANIFEST_NAMES[0])), MANIFEST_NAMES[0])
