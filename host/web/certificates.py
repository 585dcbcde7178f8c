"""What callers are shown over TLS: certificates that may be renewed while connections live on."""

import logging
import ssl

from conf.certificates import key_warning, make_context
from conf.web import ServerTls

logger = logging.getLogger(__name__)


class Certificates:
    """`context` is for the server; each handshake takes the newest files that were read.

    Raises ConfigError for files that are none, as `renew` does, which then changes nothing.
    """

    def __init__(self, tls: ServerTls) -> None:
        self.context = make_context(tls)
        self._newest = self.context
        self.context.sni_callback = self._choose
        self.renew(tls)

    def renew(self, tls: ServerTls) -> None:
        """Read the files again."""
        self._newest = make_context(tls)
        if warning := key_warning(tls):
            logger.warning("%s", warning)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        # OpenSSL asks in every handshake, also where the caller names no server.
        connection.context = self._newest


def needs_restart(before: ServerTls | None, after: ServerTls | None) -> bool:
    """Whether more differs than files: what the listening sockets were made with."""
    return _made_with(before) != _made_with(after)


def _made_with(tls: ServerTls | None) -> tuple[bool, bool, str]:
    return (False, False, "") if tls is None else (True, tls.client_ca is not None, tls.min_version)
