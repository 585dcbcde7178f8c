"""What a function may take of the machine: memory, processors, processes and the network."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from conf.types import Section, Whole, as_text
from conf.units import Size

Network = Literal["allow", "none"]
Isolation = Literal["process", "subinterpreter"]
MOST_PROCESSES = 10_000
TWICE = "write either `memory` or `resources: {memory: ...}`, not both"


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _check_whole_path(path: str) -> Path:
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} is not a whole path; write it from / on, without ..")
    if not path.strip("/"):
        raise ValueError("/ is the whole machine; name what the function needs")
    return Path(path)


Cores = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, le=1024)]
Processes = Annotated[Whole, Field(ge=0, le=MOST_PROCESSES)]
WholePath = Annotated[Path, BeforeValidator(as_text), BeforeValidator(_check_whole_path)]


class Resources(Section):
    """What all instances of a function may take together; what is absent is not bounded."""

    memory: Size | None = Field(default=None, gt=0, description="memory of all its processes together")
    cpu: Cores | None = Field(
        default=None, description="cores that one instance is planned with; bounds how many there are"
    )
    cpu_max: Cores | None = Field(default=None, description="cores that all take together at most")

    @model_validator(mode="after")
    def check_cores(self) -> "Resources":
        """One instance may take what it is planned with."""
        if self.cpu is not None and self.cpu_max is not None and self.cpu_max < self.cpu:
            raise ValueError(f"`cpu_max` ({self.cpu_max:g}) is less than `cpu` ({self.cpu:g})")
        return self


def check_memory(memory: int | None, resources: Resources | None) -> None:
    """`memory:` is short for that of the resources; raises ValueError when both are there."""
    if memory is not None and resources is not None and resources.memory is not None:
        raise ValueError(TWICE)
