"""The kinds of value that keys of the config take."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

from conf.address import Address, parse_address
from conf.digests import read_sha256
from conf.topics import check_filter, check_group, check_topic

LONGEST_QUEUE = 100_000
"""Events that may wait for one function: they are all in memory."""

T = TypeVar("T")


class Section(BaseModel):
    """A mapping of the config: unknown keys are refused, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


def as_text(value: object) -> object:
    """Numbers are read as text, since ids and names are often written as bare digits."""
    if isinstance(value, bool | float):
        raise ValueError("must be text; write it in quotes")  # noqa: TRY004 - pydantic collects ValueErrors
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not hold the NUL character")
    return str(value) if isinstance(value, int) else value


def no_bool(value: object) -> object:
    """Numbers are not read from true and false."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _none_is_empty(value: object) -> object:
    """A section whose entries are all commented out reads as null in YAML."""
    return () if value is None else value


def _beside_config(path: Path, info: ValidationInfo) -> Path:
    """A relative path starts at the folder of the config file, which the reader passes as `folder`."""
    folder = (info.context or {}).get("folder")
    return Path(folder) / path.expanduser() if folder else path.expanduser()


def _hexadecimal(text: str) -> str:
    return read_sha256(text).hex()


def _check_path(path: str) -> str:
    if not all(path.split(".")):
        raise ValueError(f"{path!r} is no path of keys with dots between, such as deviceInfo.deviceName")
    return path


Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int), Field(min_length=1)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Whole = Annotated[int, BeforeValidator(no_bool)]
Share = Annotated[float, BeforeValidator(no_bool), Field(ge=0.1, le=1)]
Items = Annotated[tuple[T, ...], BeforeValidator(_none_is_empty)]
ConfigPath = Annotated[Path, AfterValidator(_beside_config)]
Sha256 = Annotated[Text, AfterValidator(_hexadecimal)]
TopicName = Annotated[Text, AfterValidator(check_topic)]
TopicFilter = Annotated[Text, AfterValidator(check_filter)]
GroupName = Annotated[Text, AfterValidator(check_group)]
DottedPath = Annotated[Text, AfterValidator(_check_path)]
ListenAddress = Annotated[
    Address,
    BeforeValidator(parse_address),
    WithJsonSchema({"type": "string", "pattern": r"^.+:[0-9]+$", "description": "HOST:PORT"}),
]
