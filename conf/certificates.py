"""Reads the certificates of the web port, and says what is wrong with them."""

import ssl
from pathlib import Path

from conf.faults import ConfigError, Fault
from conf.web import ServerTls

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
OTHERS = 0o006
"""Mode bits of those who are neither a file's owner nor of its group."""


def make_context(tls: ServerTls) -> ssl.SSLContext:
    """What a server needs to speak TLS; raises ConfigError with all that is wrong with the files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[tls.min_version]
    context.set_alpn_protocols(["http/1.1"])
    paths = {"cert": tls.cert, "key": tls.key, "client_ca": tls.client_ca}
    faults = [fault for name, path in paths.items() if path and (fault := _unreadable(name, path))]
    if not faults:
        faults = [*_load_pair(context, tls), *_load_authorities(context, tls.client_ca)]
    if faults:
        raise ConfigError(faults)
    return context


def key_warning(tls: ServerTls) -> str | None:
    """What to say of a key that is not as secret as it should be."""
    if tls.key.stat().st_mode & OTHERS:
        return f"everybody on this machine can read or change {tls.key}; chmod 600 keeps the key to the host"
    return None


def _unreadable(name: str, path: Path) -> Fault | None:
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return Fault(
            f"tls.{name}", f"{path} cannot be read ({error.strerror})", "name a file that the host can read"
        )


def _load_pair(context: ssl.SSLContext, tls: ServerTls) -> list[Fault]:
    try:
        # OpenSSL would ask for the password on the terminal.
        context.load_cert_chain(tls.cert, tls.key, password=_refuse_password)
    except _PasswordError:
        return [Fault("tls.key", f"{tls.key} has a password", "take it off: openssl pkey -in KEY -out NEW")]
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return [Fault("tls.key", f"{tls.key} is not the key of the certificate {tls.cert}")]
        return [
            Fault("tls", f"{tls.cert} and {tls.key} are not a certificate and a key in PEM ({error.reason})")
        ]
    return []


def _load_authorities(context: ssl.SSLContext, file: Path | None) -> list[Fault]:
    if file is None:
        return []
    context.verify_mode = ssl.CERT_REQUIRED
    # Who resumes a session shows no certificate, and so is not judged by the authorities of now.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        return [Fault("tls.client_ca", f"{file} holds no certificate in PEM ({error.reason})")]
    return []


class _PasswordError(Exception):
    """The key is encrypted."""


def _refuse_password() -> str:
    raise _PasswordError
