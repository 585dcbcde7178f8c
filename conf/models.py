"""The native config format: the newest format of the program before this one, and what it lacked."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from conf.access import Access
from conf.address import Address
from conf.bridge import BridgeConfig, Rate
from conf.funcs import Func
from conf.isolation import Isolation
from conf.limits import Limits
from conf.mqtt import Broker, Rule
from conf.observing import Log, Records, Traces
from conf.pickles import Pickles
from conf.places import check_place
from conf.python import PythonVersion, Requirement
from conf.quotas import Quota
from conf.secrets import Secrets
from conf.timers import Timer
from conf.types import (
    ConfigPath,
    Items,
    ListenAddress,
    Section,
    Text,
    Whole,
)
from conf.web import ServerTls, Web


class Expose(Section):
    """A port that a platform maps to the cluster's outside; kept for it, not used by the host."""

    name: Text = Field(description="name of the port")
    desc: str | None = Field(default=None, description="what the port is for")
    out_port: Whole = Field(alias="outPort", gt=30000, lt=60000, description="port outside of the cluster")
    protocol_port: Literal["http://:8080", "tcp://:2901"] = Field(
        alias="protocolPort", description="protocol and port inside of the cluster"
    )


class Config(Section):
    """The whole config file."""

    listen: ListenAddress = Field(
        default=Address("127.0.0.1", 5888),
        description="HOST:PORT of the web port",
        json_schema_extra={"default": "127.0.0.1:5888"},
    )
    state: ConfigPath | None = Field(default=None, description="folder for what the host keeps")
    allow_anonymous: bool = Field(
        default=False, description="whether everybody may do everything without a token"
    )
    access: Access = Field(default=Access(), description="who needs a token on loopback")
    callback_hosts: Items[Annotated[Text, AfterValidator(check_place)]] = Field(
        default=(),
        description="hosts on this machine or link that results may be posted to, as HOST or HOST:PORT",
    )
    web: Web = Field(default=Web(), description="names and pages that the web port knows beside its own")
    tls: ServerTls | None = Field(
        default=None, description="certificates of the web port; absent: plain HTTP"
    )
    quotas: Items[Quota] = Field(default=(), description="what each caller may do over HTTP")
    limits: Limits = Field(default=Limits(), description="what the host takes at most")
    isolation: Isolation = Field(default=Isolation(), description="how strongly functions are boxed in")
    secrets: Secrets = Field(
        default_factory=dict, description="values for functions whose manifests name them"
    )
    pickles: Pickles = Field(default=Pickles(), description="what pickles in packages may import")
    records: Records = Field(default=Records(), description="which invocations are kept to be looked at")
    log: Log = Field(default=Log(), description="the host's own log")
    traces: Traces = Field(default=Traces(), description="spans for OpenTelemetry")
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
