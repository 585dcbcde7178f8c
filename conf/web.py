"""What the config says of the web port: under which names it answers, to whose pages, and with which keys."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from conf.places import check_place, name_place
from conf.types import ConfigPath, Items, Section, Text


def check_origin(text: str) -> str:
    """An origin as browsers write it (RFC 6454); raises ValueError for what is none."""
    wanted = f"{text!r} is not an origin such as https://console.example or http://10.0.0.7:8080"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in ("http", "https") or not host or f"{parts.scheme}://{parts.netloc}" != text:
        raise ValueError(wanted)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name_place(host, None if port == usual else port)}"


def _number_as_text(value: object) -> object:
    # 1.2 without quotes is a number in YAML.
    return str(value) if isinstance(value, float) else value


class Web(Section):
    """Names and pages that the web port knows beside its own."""

    hosts: Items[Annotated[Text, AfterValidator(check_place)]] = Field(
        default=(), description="names under which callers reach the host, as HOST or HOST:PORT"
    )
    origins: Items[Annotated[Text, AfterValidator(check_origin)]] = Field(
        default=(), description="origins whose pages may call the host, such as `https://console.example`"
    )


class ServerTls(Section):
    """TLS for the web port; files in PEM."""

    cert: ConfigPath = Field(description="file of the certificate, and those between it and its authority")
    key: ConfigPath = Field(description="file of the certificate's key, without a password")
    client_ca: ConfigPath | None = Field(
        default=None, description="file of authorities; callers then need a certificate of one of them"
    )
    min_version: Annotated[Literal["1.2", "1.3"], BeforeValidator(_number_as_text)] = Field(
        default="1.2", description="oldest version of TLS that is spoken"
    )
