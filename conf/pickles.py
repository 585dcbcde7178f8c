"""What pickles in packages may import."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from conf.document import read_document
from conf.faults import ConfigError, faults_of
from conf.types import Items, Section, Text

LONGEST_POLICY = 1024 * 1024
GLOB = re.compile(r"[\w.*?\[\]!-]+")


def _check_glob(glob: str) -> str:
    if not GLOB.fullmatch(glob):
        raise ValueError(f"{glob!r} is no name of an import with wildcards, such as sklearn.* or os.system")
    return glob


Glob = Annotated[Text, AfterValidator(_check_glob)]


class PickleLists(Section):
    """Names with wildcards, as a policy file has them."""

    allow: Items[Glob] = Field(
        default=(), description="imports that pickles may have, such as `sklearn.*`; absent: all"
    )
    deny: Items[Glob] = Field(
        default=(), description="imports that pickles may not have, such as `os.*`; they win"
    )


class PolicyFile(PickleLists):
    """The lists of a file, and where it is."""

    path: Path


def _read_policy(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        raise ValueError("must be the path of a file")  # noqa: TRY004 - pydantic collects ValueErrors
    path = Path((info.context or {}).get("folder", "."), Path(value).expanduser())
    try:
        with path.open("rb") as file:
            document = read_document(file.read(LONGEST_POLICY))
        lists = PickleLists.model_validate({} if document.value is None else document.value)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): name a file that the host can read"
        ) from None
    except ConfigError as error:
        raise ValueError(f"{path}: {error.faults[0]}") from None
    except ValidationError as error:
        raise ValueError(f"{path}: {faults_of(error, PickleLists)[0]}") from None
    return {"path": path, **lists.model_dump()}


class Pickles(PickleLists):
    """What pickles in packages may import; checked at deploy, and when `context.model` loads them."""

    policy: (
        Annotated[
            PolicyFile,
            BeforeValidator(_read_policy),
            PlainSerializer(lambda file: str(file.path)),
            WithJsonSchema({"type": "string", "format": "path"}),
        ]
        | None
    ) = Field(default=None, description="YAML file with `allow` and `deny`, instead of the two")

    @model_validator(mode="after")
    def check_one(self) -> "Pickles":
        """One place decides."""
        if self.policy is not None and (self.allow or self.deny):
            raise ValueError("write either `policy`, or `allow` and `deny`")
        return self

    @property
    def lists(self) -> PickleLists:
        """Those that hold."""
        return self if self.policy is None else self.policy
