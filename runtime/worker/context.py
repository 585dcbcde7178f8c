"""What a function sees of its invocation: `context`, with names that Lambda and Nuclio users know."""

import json
import logging
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

from .loggers import FunctionLogger
from .masks import Secrets
from .metadata import EventInfo, Trigger
from .models import Loader, Models
from .payload import Response, encode_response, encode_result

MAX_PUBLICATIONS = 1000


class Told(NamedTuple):
    """What the host tells all invocations of one process."""

    function: str
    version: str
    package_dir: str
    output_dir: str
    memory_mb: int
    env: dict[str, str]
    secrets: Secrets
    publish: tuple[str, ...]
    models: Models
    python_path: tuple[str, ...] = ()

    @property
    def code_folders(self) -> tuple[str, ...]:
        """Where the function's own code lies: the package first."""
        return (self.package_dir, *self.python_path)


class Surroundings(Told):
    """What all invocations of one process share."""

    def __init__(self, *_: object, **__: object) -> None:
        self.user_data = SimpleNamespace()
        self.logger = FunctionLogger(logging.getLogger(self.function), {})


class Context:
    """Handed to `index(event, context)`, and without an event to `init`, `start` and `shutdown`."""

    Response = Response
    batch: "tuple[Context, ...]" = ()
    """In a batch entry the contexts of the events, in their order."""

    def __init__(self, around: Surroundings, head: dict[str, Any] | None = None) -> None:
        self._around = around
        self._head = head or {}
        self.number: int = self._head.get("n", 0)
        """The event's place in the stream to this instance (0 in hooks)."""
        self.publications: list[dict[str, Any]] = []
        self.payloads: list[bytes] = []

    @property
    def request_id(self) -> str:
        """The invocation's id, 32 hexadecimal digits; empty in hooks."""
        return str(self._head.get("id", ""))

    aws_request_id = request_id

    @property
    def function_name(self) -> str:
        """`industry`."""
        return self._around.function

    @property
    def function_version(self) -> str:
        """The revision's number as text."""
        return self._around.version

    @property
    def memory_limit_in_mb(self) -> int:
        """The limit per instance in MiB; 0 when there is none."""
        return self._around.memory_mb

    @property
    def deadline(self) -> float:
        """When the answer must be there, in seconds since the epoch."""
        return time.time() + self._remaining()

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline, never below 0."""
        return max(0, int(self._remaining() * 1000))

    def _remaining(self) -> float:
        limit = self._head.get("dl")
        return float("inf") if limit is None else float(limit) - time.monotonic()

    @property
    def logger(self) -> FunctionLogger:
        """The function's logger."""
        return self._around.logger

    def log(self, message: object) -> None:
        """Write one line to the function's log."""
        self.logger.info("%s", message)

    @property
    def trigger(self) -> Trigger:
        """Kind and name of what sent the event."""
        metadata = self._metadata()
        kind, name = metadata.get("trigger", ""), metadata.get("source", "")
        return Trigger(kind=str(kind), name=str(name))

    def _metadata(self) -> dict[str, Any]:
        return dict(json.loads(self._head.get("m", b"{}")))

    @property
    def event(self) -> EventInfo:
        """The event's metadata."""
        told = {name: value for name, value in self._metadata().items() if name in EventInfo.__annotations__}
        # What the host says of every event, whatever a trigger of somebody else's calls its own metadata.
        told |= {
            "id": self.request_id,
            "content_type": self._head.get("ct"),
            "timestamp": self._head.get("ts"),
        }
        return EventInfo(**{"source": "", "headers": {}, **told})

    @property
    def device(self) -> str | None:
        """The device that a rule found in the event."""
        return self.event.device

    @property
    def package_dir(self) -> str:
        """Where the package's files are; read only in spirit."""
        return self._around.package_dir

    @property
    def output_dir(self) -> str:
        """A folder of the function's own that it may write to."""
        return self._around.output_dir

    @property
    def env(self) -> dict[str, str]:
        """The variables set by the manifest and the config."""
        return self._around.env

    @property
    def secrets(self) -> Secrets:
        """The secrets that the manifest names; they are in no environment variable."""
        return self._around.secrets

    @property
    def user_data(self) -> SimpleNamespace:
        """A place for what the function wants to keep between invocations of one instance."""
        return self._around.user_data

    def model(self, path: str | None = None, loader: str | Loader | None = None) -> Any:
        """The model at `path`, loaded once per process; without a path the package's only one."""
        return self._around.models.load(path, loader)

    def publish(self, topic: str, payload: object, qos: int = 1, retain: bool = False) -> None:
        """Publish a message together with the answer; nothing is sent when the event fails.

        Raises PermissionError for a topic that the manifest's `publish:` does not allow, ValueError for one
        that MQTT does not.
        """
        _check_topic(topic, self._around.publish)
        if qos not in (0, 1, 2):
            raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
        if len(self.publications) >= MAX_PUBLICATIONS:
            raise ValueError(f"one event may publish {MAX_PUBLICATIONS} messages at most")
        body = b"" if payload is None else _payload_bytes(payload)
        self.publications.append({"t": topic, "q": qos, "r": bool(retain), "l": len(body)})
        self.payloads.append(body)


def _payload_bytes(payload: object) -> bytes:
    encoded = encode_response(payload) if isinstance(payload, Response) else encode_result(payload)
    return encoded[0]


def _check_topic(topic: str, allowed: tuple[str, ...]) -> None:
    if not topic or any(sign in "+#" or ord(sign) < 32 or 126 < ord(sign) < 160 for sign in topic):
        raise ValueError(
            f"{topic!r:.80} is not a topic to publish to: no wildcards, not empty, no control characters"
        )
    if len(topic.encode("utf-8", "replace")) > 65535:
        raise ValueError("a topic has 65,535 bytes at most")
    if not any(topic_matches(pattern, topic) for pattern in allowed):
        raise PermissionError(f"the topic {topic!r} is not allowed; add it under `publish:` in function.yaml")


def topic_matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter takes a topic (MQTT 5, §4.7)."""
    if topic.startswith("$") != pattern.startswith("$"):
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for index, part in enumerate(wanted):
        if part == "#":
            return True
        if index >= len(given) or part not in ("+", given[index]):
            return False
    return len(wanted) == len(given)
