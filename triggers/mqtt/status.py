"""Says on a broker, retained, whether this host is online; the broker says the rest (last will)."""

import json
import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

from paho.mqtt.reasoncodes import ReasonCode

from triggers.mqtt.broker import Will
from triggers.mqtt.connection import Connection
from triggers.mqtt.peer import Peer

logger = logging.getLogger(__name__)


class Status(Peer):
    """`{"state": "online", "host": …, "since": …}` from each acceptance on, and `offline` without `since`.

    A will is written when the connection begins, so it cannot know when it will end. `clock` gives seconds
    since the epoch; `published` counts what the broker has confirmed.
    """

    def __init__(self, topic: str, clock: Callable[[], float] = time.time) -> None:
        self.will = Will(topic, _payload("offline"))
        self.published = 0
        self._clock = clock

    def opened(self, connection: Connection, session_present: bool) -> None:
        """Say that we are there, each time: the broker may just have published the will of the last one."""
        since = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        self._say(connection, _payload("online", since=since.replace("+00:00", "Z")))

    def leaving(self, connection: Connection) -> None:
        """An orderly end takes the will back, so it is said here."""
        self._say(connection, self.will.payload)

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """A broker that does not let us say it is asked again over the next connection."""
        self.published += not reason.is_failure
        if reason.is_failure:
            logger.warning("mqtt: the broker refuses the status on %s: %s", self.will.topic, reason)

    def _say(self, connection: Connection, payload: bytes) -> None:
        limits = connection.limits
        connection.publish(self.will.topic, payload, (min(1, limits.qos), limits.retain), None)


def _payload(state: str, **more: str) -> bytes:
    return json.dumps({"state": state, "host": socket.gethostname(), **more}).encode()
