"""What the config allows each caller over HTTP."""

from pydantic import Field, model_validator

from conf.bridge import LocalRate
from conf.types import Section, Text, Whole


class Quota(Section):
    """What each caller may do whose name fits; the first entry that fits a caller holds for it."""

    caller: Text = Field(
        description="`token:NAME`, `cert:NAME`, an address, or a pattern such as `token:line1-*` or `10.0.*`"
    )
    rate: LocalRate | None = Field(default=None, description="how many events in a time")
    concurrency: Whole | None = Field(
        default=None, ge=1, description="how many events at a time, waiting ones included"
    )

    @model_validator(mode="after")
    def check_bound(self) -> "Quota":
        """An entry bounds something."""
        if self.rate is None and self.concurrency is None:
            raise ValueError("write `rate`, `concurrency` or both")
        return self
