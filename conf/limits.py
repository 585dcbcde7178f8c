"""What the host takes at most."""

from pydantic import Field

from conf.types import Section, Whole
from conf.units import Duration, Size

MIB = 1024 * 1024
GIB = 1024 * MIB
DAY = 86400.0


class Limits(Section):
    """What the host takes at most."""

    max_body: Size = Field(default=6 * MIB, gt=0, description="body of one HTTP request to a function")
    memory: Size | None = Field(
        default=None,
        gt=0,
        description="measured memory of all pools together; absent: three quarters of the machine's",
    )
    revisions: Whole = Field(
        default=5, ge=1, description="revisions of a function that are kept beside the live one"
    )
    delivery: Size = Field(
        default=GIB, ge=MIB, description="disk for events and results that wait, 1MiB at least"
    )
    min_free: Size | None = Field(
        default=None,
        description="free disk below which nothing more is taken; absent: 256MiB, or 5 % of a small disk",
    )
    dead_letters: Whole = Field(default=100_000, ge=1, description="number of dead letters that are kept")
    dead_letter_age: Duration = Field(default=30 * DAY, gt=0, description="how long dead letters are kept")
    outbox_age: Duration = Field(
        default=7 * DAY, gt=0, description="how long results wait for a broker that does not take them"
    )
    result_age: Duration = Field(
        default=DAY, gt=0, description="how long results of asynchronous invocations are kept"
    )
