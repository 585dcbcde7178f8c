"""Why there is no connection, in words for the person who can mend it."""

import re
import ssl
from dataclasses import dataclass

from paho.mqtt.client import WebsocketConnectionError

from triggers.mqtt.connack import RefusedError
from triggers.mqtt.ladder import Retry
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.url import parse_url


@dataclass(frozen=True)
class Fault:
    """What went wrong with a connection, and when trying again may help."""

    text: str
    retry: Retry = Retry.NEXT


class NeedsMendingError(ConnectionError):
    """What no further attempt gets over; the message says what to do."""


# What OpenSSL may say, and what it means for the person who set this up; the first one that fits counts.
_TLS = (
    (
        r"certificate has expired",
        "the broker's certificate has expired; renew it at the broker, or set this machine's clock",
    ),
    (
        r"certificate is not yet valid",
        "the broker's certificate is not valid yet; set this machine's clock, or renew it at the broker",
    ),
    (
        r"certificate is not valid for",
        "the broker's certificate is not for {host}; let `broker` have a name that stands in it",
    ),
    (
        r"certificate verify failed",
        "nobody we trust vouches for the broker's certificate; set `tls.ca` to the certificate of its CA",
    ),
    (
        r"alert certificate required",
        "the broker wants a client certificate; set `tls.cert` and `tls.key`",
    ),
    (
        r"alert handshake failure",
        "the broker ends the TLS handshake; it may want a client certificate: set `tls.cert` and `tls.key`",
    ),
    (
        r"alert (unknown ca|(bad |unsupported )?certificate|access denied|decrypt error)",
        "the broker refuses our client certificate; set `tls.cert` and `tls.key` to one that it trusts",
    ),
    (
        r"protocol version|unsupported protocol",
        "the broker speaks no TLS version that we do; let it speak TLS 1.2 or later",
    ),
    (
        r"wrong version number|record layer failure",
        "the broker does not speak TLS at {place}; use its port for TLS, or tcp:// or ws://",
    ),
)
_CREDENTIALS = (134, 135, 138, 140)
_CLIENT_ID = 133


def fault_of(error: Exception, plan: BrokerPlan) -> Fault:
    """What `error` means, which ended an attempt to connect to the broker of `plan`."""
    said = str(error) or type(error).__name__
    if isinstance(error, RefusedError):
        return _refusal(error, plan)
    if isinstance(error, NeedsMendingError):
        return Fault(said, Retry.SLOW)
    if isinstance(error, WebsocketConnectionError):
        address = parse_url(plan.url)
        return Fault(f"{said}; is {address.path} the path of its websockets, and {address.port} their port?")
    return _tls_fault(said, plan) or Fault(said)


def _refusal(error: RefusedError, plan: BrokerPlan) -> Fault:
    if error.code in _CREDENTIALS:
        login = "`username` and `password`" if plan.cert_file is None else "certificate, user and password"
        remedy = f"mend {login}, or give this client its rights at the broker"
        return Fault(f"refused: {error}; {remedy}", Retry.SLOW)
    if error.code == _CLIENT_ID:
        return Fault(f"refused: {error}; choose another `clientId`", Retry.SLOW)
    if error.unsupported_version:
        return Fault(f"refused: {error}; set `version` to the one the broker speaks", Retry.SLOW)
    return Fault(f"refused: {error}")


def _tls_fault(said: str, plan: BrokerPlan) -> Fault | None:
    if "SSL" not in said:
        return None
    address = parse_url(plan.url)
    plain = said.lower()
    for pattern, meaning in _TLS:
        if re.search(pattern, plain):
            words = meaning.format(host=address.host, place=f"{address.host}:{address.port}")
            return Fault(f"{words} ({_detail(said)})", Retry.SLOW)
    return None


def _detail(said: str) -> str:
    """OpenSSL's own words, without where in its source they stand."""
    return said.partition("] ")[2].partition(" (_ssl.c")[0] or said


def unusable(plan: BrokerPlan, error: OSError) -> NeedsMendingError:
    """The error for certificate files that cannot be loaded; OpenSSL does not say which they are."""
    files = [str(each) for each in (plan.ca_file, plan.cert_file, plan.key_file) if each is not None]
    why = _detail(str(error)) if isinstance(error, ssl.SSLError) else error.strerror or str(error)
    return NeedsMendingError(f"cannot use {', '.join(files)}: {why}; mend `tls`")
