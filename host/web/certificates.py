"""What callers are shown over TLS: certificates that may be renewed while connections live on."""

import logging
import ssl
import time
from collections.abc import Callable
from hashlib import sha256

from conf.certificates import key_warning, make_context
from conf.web import ServerTls

logger = logging.getLogger(__name__)


class Certificates:
    """`context` is for the server; each handshake takes the newest files that were read.

    Raises ConfigError for files that are none, as `renew` does, which then changes nothing. `clock` gives
    seconds since the epoch.
    """

    def __init__(self, tls: ServerTls, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.context = make_context(tls)
        self._newest = self.context
        self._digests = _digest_files(tls)
        self._changed_at = 0.0
        self.context.sni_callback = self._choose
        self._warn(tls)

    def renew(self, tls: ServerTls) -> None:
        """Read the files again."""
        self._newest, digests = make_context(tls), _digest_files(tls)
        if changed := [name for name in digests if digests[name] != self._digests.get(name)]:
            logger.info("tls: %s changed, which holds for new connections", ", ".join(changed))
            self._digests, self._changed_at = digests, self._clock()
        self._warn(tls)

    def _warn(self, tls: ServerTls) -> None:
        if warning := key_warning(tls):
            logger.warning("%s", warning)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int | None:
        # OpenSSL asks in every handshake, also where the caller names no server.
        connection.context = self._newest
        session = connection.session if connection.session_reused else None
        if session is not None and session.time <= self._changed_at:
            # TLS 1.2 knows sessions without tickets; after an alert its caller forgets it (RFC 5246, 7.2).
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        return None


def _digest_files(tls: ServerTls) -> dict[str, bytes]:
    paths = {"cert": tls.cert, "key": tls.key, "client_ca": tls.client_ca}
    return {name: sha256(path.read_bytes()).digest() for name, path in paths.items() if path is not None}


def needs_restart(before: ServerTls | None, after: ServerTls | None) -> bool:
    """Whether more differs than files: what the listening sockets were made with."""
    return _made_with(before) != _made_with(after)


def _made_with(tls: ServerTls | None) -> tuple[bool, bool, str]:
    return (False, False, "") if tls is None else (True, tls.client_ca is not None, tls.min_version)
