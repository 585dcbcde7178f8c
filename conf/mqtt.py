"""The MQTT half of the config: brokers, and rules that bind topics to functions."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from conf.bind import Bind
from conf.names import FunctionNames
from conf.retries import Retry
from conf.types import (
    ConfigPath,
    DottedPath,
    GroupName,
    Section,
    Text,
    TopicFilter,
    TopicName,
    Whole,
    as_text,
)
from conf.units import Duration

DEFAULT_PORTS = {
    "tcp": 1883,
    "mqtt": 1883,
    "ssl": 8883,
    "mqtts": 8883,
    "ws": 80,
    "websockets": 80,
    "wss": 443,
}
OVER_TLS = ("ssl", "mqtts", "wss")
SHARED = "$share/"
DEVICE = "deviceInfo.deviceName"


def check_broker_url(text: str) -> str:
    """`text` if it is `SCHEME://HOST[:PORT]` of a broker, else ValueError; never repeats a password."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError("is not a broker's URL such as tcp://192.168.1.10:1883") from None
    if url.scheme not in DEFAULT_PORTS:
        raise ValueError(f"must start with one of {', '.join(f'{name}://' for name in DEFAULT_PORTS)}")
    if not url.hostname or port == 0:
        raise ValueError(f"names no host; write {url.scheme}://HOST:PORT")
    if "@" in url.netloc:
        raise ValueError("must not hold a user name or password; write them as `username` and `password`")
    if url.scheme not in ("ws", "wss", "websockets") and (url.path.strip("/") or url.query or url.fragment):
        raise ValueError("has something after the port; only ws:// and wss:// have a path")
    return text


class Tls(Section):
    """Certificates for a broker with TLS; the system's authorities hold where `ca` is absent."""

    ca: ConfigPath | None = Field(
        default=None, description="file of the authorities behind the broker's certificate"
    )
    cert: ConfigPath | None = Field(default=None, description="file of our own certificate")
    key: ConfigPath | None = Field(default=None, description="file of our own certificate's key")

    @model_validator(mode="after")
    def check_pair(self) -> "Tls":
        """A certificate is of no use without its key, nor the key without it."""
        if (self.cert is None) != (self.key is None):
            raise ValueError("`cert` and `key` must be given together")
        return self


class Broker(Section):
    """One broker; `qos` and `retain` hold for its subscriptions and its publishing alike."""

    name: Text = Field(description="the name that rules use")
    broker: Annotated[Text, AfterValidator(check_broker_url)] = Field(
        description="URL; schemes tcp mqtt ssl mqtts ws wss websockets"
    )
    qos: Whole = Field(default=0, ge=0, le=2, description="quality of service, 0 to 2")
    retain: bool = Field(default=False, description="whether results are published retained")
    username: Text | None = Field(default=None, description="user name at the broker")
    password: Annotated[SecretStr, BeforeValidator(as_text)] | None = Field(
        default=None, description="password at the broker"
    )
    tls: Tls | None = Field(default=None, description="certificates, for ssl://, mqtts:// and wss://")
    version: Annotated[Literal["auto", "3.1.1", "5"], BeforeValidator(str)] = Field(
        default="auto", description="MQTT version; auto tries 5 first"
    )
    status: TopicName | None = Field(
        default=None, description="topic where the host says, retained, whether it is online or offline"
    )

    @model_validator(mode="after")
    def check_tls(self) -> "Broker":
        """Certificates on a plain connection would only look safe."""
        if self.tls is not None and urlsplit(self.broker).scheme not in OVER_TLS:
            raise ValueError("`tls` needs a broker URL with ssl://, mqtts:// or wss://")
        return self

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port: two brokers with the same ones are one broker."""
        url = urlsplit(self.broker)
        return url.hostname or "", url.port or DEFAULT_PORTS[url.scheme]


class Subscription(Section):
    """Where a rule's events come from."""

    name: Text = Field(description="name of the broker")
    client_id: Text = Field(alias="clientId", description="id of the connection, of this rule only")
    topic: TopicFilter = Field(description="topic filter; + and # are wildcards")


class Target(Section):
    """Where results go."""

    name: Text = Field(description="name of the broker")
    client_id: Text = Field(alias="clientId", description="id of the connection; rules may share it")
    topic: TopicName = Field(description="topic, without wildcards")
    timeout: Duration = Field(default=10.0, gt=0, description="how long one publication may take")


class ErrorTarget(Section):
    """Where a rule tells of events that failed."""

    name: Text = Field(description="name of the broker")
    client_id: Text = Field(alias="clientId", description="id of the connection; rules may share it")
    topic: TopicName = Field(description="topic, without wildcards")


class Dedupe(Section):
    """How to tell an event that came before, whatever its delivery says."""

    key: DottedPath = Field(description="path to the value in the event, keys with dots between")
    window: Duration = Field(gt=0, description="how long events with the same value are one event")


class Rule(Section):
    """Binds a source topic to functions and to a target topic."""

    name: Text | None = Field(default=None, description="name in logs and metrics")
    sub: Subscription = Field(description="where events come from")
    pub: Target = Field(description="where results go")
    error: ErrorTarget | None = Field(
        default=None, description="where errors go; absent: they are not published"
    )
    functions: FunctionNames | None = Field(
        default=None, description="names of the functions to call; absent: all of `funcs`"
    )
    retained: bool = Field(
        default=False, description="whether messages that the broker kept are events as well"
    )
    sub_process: Text | None = Field(
        default=None,
        alias="subProcess",
        description="name of its rows in `/queue_size_metrics`; absent: made of broker and function",
    )
    group: GroupName | None = Field(
        default=None, description="name of the shared subscription: hosts with the same one share the events"
    )
    order: Literal["none", "topic", "device"] = Field(
        default="none", description="what keeps its events in order: nothing, each topic, or each device"
    )
    device: DottedPath = Field(
        default=DEVICE,
        description="path to the device's name in events of functions without `devices`",
    )
    bind: Bind | None = Field(
        default=None, description="whose events these are, and what a device may send; absent: anything"
    )
    retry: Retry | None = Field(
        default=None, description="when failed events are tried again; absent: as the functions say"
    )
    dedupe: Dedupe | None = Field(
        default=None, description="how to tell events that came before; absent: by their delivery"
    )
    max_age: Duration | None = Field(
        default=None, gt=0, description="age from which events are dropped unworked; absent: none is too old"
    )
    latest: Literal["device"] | None = Field(
        default=None, description="keep only the newest waiting event of each device; absent: keep all"
    )

    @model_validator(mode="after")
    def check_group(self) -> "Rule":
        """A subscription belongs to one group."""
        if self.group is not None and self.sub.topic.startswith(SHARED):
            raise ValueError(f"the topic of `sub` names a group with {SHARED} already; write `group` alone")
        return self

    @model_validator(mode="after")
    def check_bind(self) -> "Rule":
        """What devices are told by differs from one to the other."""
        if self.bind is not None:
            self.bind.check_filter(self.sub.topic)
        return self
