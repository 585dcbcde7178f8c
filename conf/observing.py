"""What the host keeps and tells of functions at work: records of invocations, its own log, traces."""

import importlib.util
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from conf.types import DottedPath, Items, Section, Text, Whole, no_bool
from conf.units import Duration, Size

MIB = 1024 * 1024
KIB = 1024
Fraction = Annotated[float, BeforeValidator(no_bool), Field(ge=0, le=1)]


NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def check_endpoint(text: str) -> str:
    """A URL that spans can be sent to from here; raises ValueError."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ValueError(f"{text!r} is no URL such as http://127.0.0.1:4318/v1/traces")
    try:
        there = all(importlib.util.find_spec(name) is not None for name in NEEDED)
    except ModuleNotFoundError:
        there = False
    if not there:
        raise ValueError("needs the extra `otel`, which is not installed: pip install 'fnhost[otel]'")
    return text


class Records(Section):
    """Which invocations are kept to be looked at, replayed and debugged: all that failed, and a sample."""

    sample: Fraction = Field(default=0.01, description="share of the invocations that did not fail")
    most: Whole = Field(default=10_000, ge=0, description="how many are kept; 0: none")
    size: Size = Field(default=64 * MIB, description="disk for them")
    age: Duration = Field(default=7 * 86400.0, description="how long they are kept")
    body: Size = Field(default=16 * KIB, description="bytes kept of each input, and of each output")
    redact: Items[DottedPath] = Field(
        default=(),
        description="keys of JSON bodies that are kept as `***`, such as user.password",
    )


class Log(Section):
    """The host's own log, on standard error."""

    form: Literal["auto", "text", "json"] = Field(
        default="auto", description="json: an object per line; auto: text on a terminal, else json"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is less than this is not written"
    )


class Traces(Section):
    """Spans for OpenTelemetry; needs the extra `otel`."""

    endpoint: Annotated[Text, AfterValidator(check_endpoint)] | None = Field(
        default=None, description="where spans go by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces"
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="headers of these requests")
    sample: Fraction = Field(
        default=1.0, description="share of the events that name no trace of their own (traceparent)"
    )
