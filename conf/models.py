"""The native config format: the newest format of the program before this one, and what it lacked."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from conf.address import Address
from conf.bridge import BridgeConfig, Rate
from conf.devices import Device
from conf.mqtt import Broker, Rule
from conf.names import Name
from conf.places import check_place
from conf.python import EntryPoint, PythonVersion, Requirement
from conf.retries import Retry
from conf.timers import Timer
from conf.types import (
    LONGEST_QUEUE,
    ConfigPath,
    Items,
    ListenAddress,
    Section,
    Sha256,
    Share,
    Text,
    VariableName,
    Whole,
)
from conf.units import Duration, Size

MIB = 1024 * 1024
GIB = 1024 * MIB
DAY = 86400.0


class Scale(Section):
    """How many instances a function may have, and for how long; what is absent is as its manifest says."""

    min: Whole | None = Field(default=None, ge=0, description="fewest instances")
    max: Whole | None = Field(default=None, ge=1, description="most instances")
    target: Share | None = Field(
        default=None, description="share of an instance's time that is planned for work, 0.1 to 1"
    )
    idle: Duration | None = Field(
        default=None, description="time without an event after which no more than `min` instances are kept"
    )
    keep_warm: Duration | None = Field(
        default=None, description="time after that for which the loaded package is kept, ready to fork from"
    )

    @model_validator(mode="after")
    def check_order(self) -> "Scale":
        """The fewest are not more than the most."""
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` ({self.min}) is more than `max` ({self.max})")
        return self


class Batch(Section):
    """Events that wait together go to the function in one call."""

    max_size: Whole = Field(ge=1, le=1000, description="most events in one call")
    max_wait: Duration = Field(
        default=0.005, le=10, description="how long the first event may wait for others, 10s at most"
    )


class Func(Section):
    """One function; what is absent is as the manifest of its package says."""

    model_name: Name = Field(alias="modelName", description="the function's name")
    model_address: Text | None = Field(
        default=None, alias="modelAddress", description="address of the package's zip"
    )
    model_md5: Text | None = Field(
        default=None, alias="modelMd5", description="base64 of the zip's MD5 digest"
    )
    sha256: Sha256 | None = Field(default=None, description="hexadecimal sha256 digest of the zip")
    download: bool | None = Field(
        default=None, description="whether the zip is fetched at the start; absent: as the top level says"
    )
    devices: Items[Device] = Field(
        default=(), description="devices whose events the function takes; absent: every event"
    )
    package: ConfigPath | None = Field(default=None, description="zip or folder to deploy at the start")
    entry: EntryPoint | None = Field(
        default=None, description="`package.module.callable` to call instead of a package's entry point"
    )
    python_path: Items[ConfigPath] = Field(
        default=(), alias="pythonPath", description="folders in which `entry` is found"
    )
    requirements: Items[Requirement] | None = Field(
        default=None, description="requirements of a package that has none of its own"
    )
    python: PythonVersion | None = Field(
        default=None, description="Python version in quotes, where the manifest names none"
    )
    rate: Rate | None = Field(default=None, description="how many events it takes in a time")
    scale: Scale | None = Field(
        default=None, description="number of instances, and for how long they are kept"
    )
    timeout: Duration | None = Field(
        default=None, gt=0, description="deadline of one event, queueing included"
    )
    env: dict[VariableName, Text] = Field(
        default_factory=dict, repr=False, description="environment variables"
    )
    queue: Whole | None = Field(
        default=None, ge=1, le=LONGEST_QUEUE, description="how many events may wait, 100,000 at most"
    )
    concurrency: Whole | None = Field(
        None,
        ge=1,
        le=1000,
        description="events that an instance handles at a time: coroutines, or threads of a plain function",
    )
    batch: Batch | None = Field(
        default=None, description="events that `index_batch` gets in one call; wins as a whole"
    )
    memory: Size | None = Field(default=None, gt=0, description="memory of one instance")
    retry: Retry | None = Field(
        default=None, description="when failed events are tried again, unless the rule or timer says it"
    )

    @model_validator(mode="after")
    def check_source(self) -> "Func":
        """An entry point lies in a Python path, not in a package."""
        if self.entry is not None and (self.package is not None or self.model_address is not None):
            raise ValueError("write either `entry`, or `package` or `modelAddress`")
        if self.python_path and self.entry is None:
            raise ValueError("`pythonPath` needs an `entry` to look for")
        return self


class Expose(Section):
    """A port that a platform maps to the cluster's outside; kept for it, not used by the host."""

    name: Text = Field(description="name of the port")
    desc: str | None = Field(default=None, description="what the port is for")
    out_port: Whole = Field(alias="outPort", gt=30000, lt=60000, description="port outside of the cluster")
    protocol_port: Literal["http://:8080", "tcp://:2901"] = Field(
        alias="protocolPort", description="protocol and port inside of the cluster"
    )


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


class Config(Section):
    """The whole config file."""

    listen: ListenAddress = Field(default=Address("127.0.0.1", 5888), description="HOST:PORT of the web port")
    state: ConfigPath | None = Field(default=None, description="folder for what the host keeps")
    allow_anonymous: bool = Field(
        default=False, description="whether callers without a token may reach an address beyond loopback"
    )
    callback_hosts: Items[Annotated[Text, AfterValidator(check_place)]] = Field(
        default=(),
        description="hosts on this machine or link that results may be posted to, as HOST or HOST:PORT",
    )
    limits: Limits = Field(default=Limits(), description="what the host takes at most")
    download: bool | None = Field(
        default=None, description="whether to fetch the zips of functions that do not say it themselves"
    )
    requirements: Items[Requirement] = Field(
        default=(), description="what to install for packages without a requirements file"
    )
    python: PythonVersion | None = Field(
        default=None, description="Python version of packages that name none, in quotes"
    )
    mqtts: Items[Broker] = Field(default=(), description="MQTT brokers")
    rules: Items[Rule] = Field(default=(), description="which topics feed which functions")
    funcs: Items[Func] = Field(default=(), description="functions")
    timers: Items[Timer] = Field(default=(), description="moments at which functions are called")
    expose: Items[Expose] = Field(default=(), description="ports that a platform maps")
    bridges: Items[BridgeConfig] = Field(default=(), description="HTTP sources polled into MQTT topics")
    rate_limit_resources: Items[Rate] = Field(default=(), description="rate limits that bridges name")
