"""Values that functions get without anybody else seeing them."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, SecretStr

from conf.names import Name
from conf.types import Items, Section, VariableName, as_text

LONGEST_SECRET = 8 * 1024
"""Characters of one secret: a certificate with its chain and its key."""


def _check_value(value: object) -> object:
    text = as_text(value)
    if isinstance(text, str) and not 0 < len(text) <= LONGEST_SECRET:
        raise ValueError(f"has {len(text):,} characters; a secret has 1 to {LONGEST_SECRET:,}")
    return text


class Secret(Section):
    """A secret may also be written as its value alone: `KEY: ${env:KEY}`."""

    value: Annotated[SecretStr, BeforeValidator(_check_value)] = Field(
        description="what functions get; written as a reference, it stands in no config file"
    )
    functions: Items[Name] | None = Field(
        default=None, description="functions that may have it; absent: each whose manifest names it"
    )


def _expand(value: object) -> object:
    is_value = isinstance(value, str | int) and not isinstance(value, bool)
    return {"value": value} if is_value else value


Secrets = dict[VariableName, Annotated[Secret, BeforeValidator(_expand, json_schema_input_type=str | Secret)]]


def secret_values(value: object) -> Iterator[str]:
    """Every secret inside a config, or a part of one."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, each in value:
            yield from secret_values(each)
    elif isinstance(value, Mapping):
        yield from secret_values(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from secret_values(each)
