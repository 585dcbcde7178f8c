"""Who is at the other end of a connection."""

import asyncio
import re

CERTIFIED = "cert:"
_NAME = re.compile(r"[\w.@:-]{1,64}", re.ASCII)


def name_peer(transport: asyncio.Transport, client: tuple[str, int] | None) -> tuple[str, int] | None:
    """The address and port; for a caller with a certificate `cert:` and its common name, and the port."""
    certificate = transport.get_extra_info("peercert")
    if client is None or not certificate:
        return client
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    # What else a name may hold would be somebody else's name in a log or a pattern of the config.
    if len(names) != 1 or not _NAME.fullmatch(names[0]):
        return client
    return CERTIFIED + names[0], client[1]
