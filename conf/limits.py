"""What the host takes at most."""

from pydantic import Field

from conf.types import Section, Whole
from conf.units import Duration, Size

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
DAY = 86400.0


class Limits(Section):
    """What the host takes at most."""

    max_body: Size = Field(default=6 * MIB, gt=0, description="body of one HTTP request to a function")
    bodies: Size = Field(
        default=256 * MIB,
        gt=0,
        description="bodies of all events on their way over HTTP, without the first 64KiB of each",
    )
    json_depth: Whole = Field(
        default=100,
        ge=1,
        le=500,
        description="how deep lists and mappings lie within each other in events that are read as JSON",
    )
    queue_bytes: Size = Field(default=64 * MIB, gt=0, description="events that wait for one function, in all")
    frame: Whole = Field(
        default=16, ge=1, le=1000, description="short events that an instance is handed at once"
    )
    connections: Whole = Field(default=4096, ge=1, description="HTTP connections at a time")
    connections_per_peer: Whole = Field(
        default=512, ge=1, description="of these from one address, or one IPv6 /64, beyond loopback"
    )
    header_time: Duration = Field(
        default=10.0, gt=0, description="from the first byte of a request's head to its last"
    )
    body_time: Duration = Field(
        default=60.0, gt=0, description="for a request's body; packages may take longer at 1 KiB/s or more"
    )
    write_time: Duration = Field(
        default=60.0, gt=0, description="how long a caller may take nothing of its answer"
    )
    memory: Size | None = Field(
        default=None,
        gt=0,
        description="measured memory of all pools together; absent: three quarters of the machine's",
    )
    functions: Whole = Field(default=10_000, ge=1, description="number of functions")
    revisions: Whole = Field(
        default=5,
        ge=1,
        description="revisions of a function that are kept beside the live one, and as many failed ones",
    )
    package: Size = Field(default=512 * MIB, gt=0, description="the zip of a package")
    files: Whole = Field(default=2000, ge=1, le=60_000, description="files and folders of a package")
    unpacked: Size = Field(default=512 * MIB, gt=0, description="all files of a package together")
    ratio: Whole = Field(
        default=200, ge=1, description="how many times its packed size a file above 1MiB may have"
    )
    depth: Whole = Field(default=16, ge=1, le=100, description="folders within each other in a package")
    deploys: Whole = Field(
        default=8,
        ge=1,
        le=100,
        description="packages that are deployed at a time, and a quarter of those uploaded; others wait",
    )
    disk: Size | None = Field(
        default=None,
        gt=0,
        description="disk for packages, environments, logs and what functions write, above which nothing is"
        " deployed; absent: half of the disk",
    )
    log_line: Size = Field(
        default=16 * KIB, ge=4 * KIB, le=MIB, description="line of a log; a longer one goes on in the next"
    )
    log_invocation: Size = Field(default=MIB, ge=KIB, description="what one invocation may print")
    log_rate: Size = Field(
        default=MIB, ge=KIB, description="what one pool may print each second, eight times as much at once"
    )
    log_size: Size = Field(default=8 * MIB, ge=64 * KIB, description="disk for the log of one function")
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
