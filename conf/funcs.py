"""What the config says of one function."""

from pydantic import Field, model_validator

from conf.bridge import Rate
from conf.devices import Device
from conf.names import Name
from conf.python import EntryPoint, PythonVersion, Requirement
from conf.resources import Isolation, Network, Processes, Resources, WholePath, check_memory
from conf.retries import Retry
from conf.types import LONGEST_QUEUE, ConfigPath, Items, Section, Sha256, Share, Text, VariableName, Whole
from conf.units import Duration, Size


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
    memory: Size | None = Field(
        default=None, gt=0, description="memory of all its processes together, as `resources.memory`"
    )
    resources: Resources | None = Field(
        default=None, description="memory and processors that it may take, key by key"
    )
    processes: Processes | None = Field(
        default=None, description="processes of its own that each instance may start; 10,000 at most"
    )
    network: Network | None = Field(
        default=None, description="whether it may open connections; none, here or in the manifest, wins"
    )
    isolation: Isolation | None = Field(
        default=None,
        description="process of its own, or one shared by subinterpreters (Python 3.13 or newer)",
    )
    reads: Items[WholePath] = Field(
        default=(), description="files and folders of the machine that it may read beside its own"
    )
    writes: Items[WholePath] = Field(
        default=(), description="files and folders of the machine that it may read and write beside its own"
    )
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

    @model_validator(mode="after")
    def check_resources(self) -> "Func":
        """The memory is told once."""
        check_memory(self.memory, self.resources)
        return self
