"""The bridge half of the config: an HTTP source polled into an MQTT topic, and the rates that limit it."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from conf.faults import Fault, nearest
from conf.mqtt import DEFAULT_PORTS, check_broker_url
from conf.types import Items, Section, Text, TopicName, Whole
from conf.units import Duration

Connection = tuple[Hashable, str]
"""What two connections must not share: the broker's (host, port) and the client id."""


def check_source_url(text: str) -> str:
    """`text` if it is an `http://` or `https://` URL, else ValueError; never repeats a password."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError("is not a URL such as http://127.0.0.1:18080/car") from None
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise ValueError("must be a URL such as http://127.0.0.1:18080/car")
    return text


def broker_endpoint(url: str) -> tuple[str, int]:
    """Host and port of a broker's URL: two URLs with the same ones are one broker."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class LocalRate(Section):
    """So many in so long a time, counted by this host alone."""

    count: Whole = Field(ge=1, description="how many in each interval, all at once if need be")
    interval: Duration = Field(gt=0, description="length of the interval")


class Rate(Section):
    """A rate limit with a name."""

    label: Text = Field(description="name of the rate limit")
    local: LocalRate = Field(description="what it allows")


class HttpClient(Section):
    """The source that is polled; what it answers is one record."""

    url: Annotated[Text, AfterValidator(check_source_url)] = Field(description="address of the records")
    verb: Annotated[Literal["GET", "POST"], BeforeValidator(_upper)] = Field(
        default="GET", description="HTTP method"
    )
    rate_limit: Text | None = Field(
        default=None, description="label of its rate limit; absent: one record per second"
    )


class MqttOutput(Section):
    """The broker that gets the records."""

    urls: Annotated[tuple[Annotated[Text, AfterValidator(check_broker_url)], ...], Field(min_length=1)] = (
        Field(description="addresses of the broker, tried in turn")
    )
    topic: TopicName = Field(description="topic, without wildcards")
    client_id: Text | None = Field(default=None, description="id of the connection; absent: a random one")
    qos: Whole = Field(default=1, ge=0, le=2, description="quality of service, 0 to 2")


class BridgeInput(Section):
    """Where a bridge's records come from."""

    http_client: HttpClient = Field(description="an HTTP source")


class BridgeOutput(Section):
    """Where a bridge's records go."""

    mqtt: MqttOutput = Field(description="an MQTT topic")


class BridgeConfig(Section):
    """Polls an HTTP source and publishes what it answers, byte for byte."""

    name: Text = Field(description="name in logs and metrics")
    input: BridgeInput = Field(description="where records come from")
    output: BridgeOutput = Field(description="where records go")


class BridgeFile(Section):
    """A file that holds one bridge and its rates, as the program before this one had it."""

    input: BridgeInput = Field(description="where records come from")
    output: BridgeOutput = Field(description="where records go")
    rate_limit_resources: Items[Rate] = Field(default=(), description="rate limits by label")


def rate_faults(
    bridges: Sequence[tuple[str, BridgeConfig | BridgeFile]], rates: Sequence[Rate]
) -> Iterator[Fault]:
    """Labels that are there twice, or named and not there; each bridge comes with its path."""
    labels = [rate.label for rate in rates]
    for index, label in enumerate(labels):
        if label in labels[:index]:
            yield _repeated(f"rate_limit_resources[{index}].label", label, labels.index(label))
    for path, bridge in bridges:
        wanted = bridge.input.http_client.rate_limit
        if wanted is not None and wanted not in labels:
            where = f"{path}input.http_client.rate_limit"
            yield Fault(where, f"no rate limit is labelled {wanted!r}", _hint(wanted, labels))


def id_faults(
    bridges: Sequence[tuple[str, BridgeConfig]], taken: Mapping[Connection, str]
) -> Iterator[Fault]:
    """Two connections with one client id would each end the other; `taken` are those of the rules."""
    seen: dict[Connection, str] = dict(taken)
    for path, bridge in bridges:
        client_id, where = bridge.output.mqtt.client_id, f"{path}output.mqtt.client_id"
        if client_id is None:
            continue
        keys: list[Connection] = [(broker_endpoint(url), client_id) for url in bridge.output.mqtt.urls]
        owner = next((seen[key] for key in keys if key in seen), None)
        if owner is not None:
            message = f"{client_id!r} is the id of {owner} on the same broker"
            yield Fault(where, message, "give each connection its own id, or this one none")
        seen |= {key: where for key in keys if key not in seen}


def _repeated(path: str, label: str, first: int) -> Fault:
    return Fault(path, f"{label!r} is the label of rate_limit_resources[{first}] already")


def _hint(wanted: str, labels: list[str]) -> str:
    if (near := nearest(wanted, labels)) is not None:
        return f"did you mean `{near}`?"
    if not labels:
        return "there is none under `rate_limit_resources`"
    return f"labels under `rate_limit_resources`: {', '.join(labels)}"
