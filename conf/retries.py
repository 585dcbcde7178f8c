"""When events that failed are tried again, as rules, functions and timers say it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from conf.quantities import write_duration
from conf.types import Items, Section, Whole
from conf.units import Duration

Failed = Literal["raised", "died", "timeout", "overload"]
ALL: tuple[Failed, ...] = ("raised", "died", "timeout", "overload")


class Retry(Section):
    """When an event that failed is tried again; a rule's or timer's own section wins over its functions'."""

    attempts: Whole = Field(default=3, ge=1, description="how often at most, the first time included")
    backoff: Duration = Field(
        default=1.0, description="longest pause before the second attempt; doubled for each further one"
    )
    longest: Duration = Field(default=300.0, description="longest pause between two attempts")
    on: Annotated[Items[Failed], Field(min_length=1)] = Field(
        default=ALL,
        description="after which failures: the function raised, its instance died, its time was over, or no"
        " instance was free (which counts as no attempt)",
    )

    @model_validator(mode="after")
    def check_pauses(self) -> "Retry":
        """No pause is longer than the longest, the first one included."""
        if self.backoff > self.longest:
            backoff, longest = write_duration(self.backoff), write_duration(self.longest)
            default = "" if "longest" in self.model_fields_set else ", its default"
            raise ValueError(
                f"`backoff` ({backoff}) is longer than `longest` ({longest}{default}); write a `longest` of"
                f" {backoff} or more, or a shorter `backoff`"
            )
        return self
