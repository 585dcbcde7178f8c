"""Looks at whether the brokers of the config can be reached, all at once; nobody logs in."""

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from conf.bridge import broker_endpoint
from conf.models import Config
from conf.mqtt import OVER_TLS, Tls
from host.doctor.findings import Case, Finding, Section, conclude

TIME_LIMIT = 2.0
"""Seconds to connect, and as many for the handshake of TLS."""
WHY = "the host starts all the same, and tries again until it can: no events come from there until then"
NONE = (
    "the config names no broker, so functions answer over HTTP only; for MQTT run one (Debian: `sudo apt-get"
    " install mosquitto`) and name it under `mqtts`, or see `fnhost demo`, which brings its own"
)
NEAR = "localhost", "127.0.0.1", "::1"


@dataclass(frozen=True)
class _Place:
    """Where a broker is said to be, and by which key of the config."""

    key: str
    name: str
    url: str
    tls: Tls | None = None


def check_brokers(case: Case) -> Section:
    """Each broker of `mqtts`, and of each bridge."""
    places = list(_places(case.settings.config))
    if not places:
        return conclude("brokers", [], NONE)
    with ThreadPoolExecutor(min(len(places), 32)) as threads:
        return conclude("brokers", list(threads.map(_try, places)))


def _places(config: Config) -> Iterator[_Place]:
    for index, broker in enumerate(config.mqtts):
        yield _Place(f"mqtts[{index}].broker", broker.name, broker.broker, broker.tls)
    for index, bridge in enumerate(config.bridges):
        for url in bridge.output.mqtt.urls:
            yield _Place(f"bridges[{index}].output.mqtt.urls", f"bridge {index}", url)


def _try(place: _Place) -> Finding:
    host, port = broker_endpoint(place.url)
    try:
        with socket.create_connection((host, port), TIME_LIMIT) as connection:
            if place.url.partition("://")[0] in OVER_TLS:
                _shake_hands(connection, host, place.tls)
    except OSError as error:
        told = f"{host}:{port} {_what(error)}"
        return Finding(place.name, "lack", told, WHY, _remedy(error, place, host))
    return Finding(place.name, "ok", f"{host}:{port} answers")


def _shake_hands(connection: socket.socket, host: str, tls: Tls | None) -> None:
    context = ssl.create_default_context(cafile=tls.ca if tls else None)
    if tls is not None and tls.cert is not None:
        # Without a password, OpenSSL would ask for one at the terminal, for ever.
        context.load_cert_chain(tls.cert, tls.key, password="")
    context.wrap_socket(connection, server_hostname=host).close()


def _what(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS with us: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"does not answer within {TIME_LIMIT:g} s"
    return f"cannot be reached: {error.strerror or error}"


def _remedy(error: OSError, place: _Place, host: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"name the authority of its certificate at `{place.key.partition('.')[0]}.tls.ca`"
    if isinstance(error, FileNotFoundError):
        return f"mend the files at `{place.key.partition('.')[0]}.tls`"
    if isinstance(error, ConnectionRefusedError) and host in NEAR:
        return (
            "start one (Debian: `sudo apt-get install mosquitto`, `sudo systemctl start mosquitto`),"
            f" or mend the address at `{place.key}`"
        )
    return f"start the broker, let the firewall pass, or mend the address at `{place.key}`"
