"""What a bridge is to do, decided before it starts."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class SourcePlan:
    """An HTTP source and the verb to ask it with."""

    url: str = field(repr=False)
    verb: str = "GET"

    @property
    def place(self) -> str:
        """The address as it may be logged: without user, password and query."""
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


@dataclass(frozen=True)
class TargetPlan:
    """A topic and the addresses of its broker, which are tried in turn."""

    urls: tuple[str, ...]
    topic: str
    client_id: str
    qos: int = 1


@dataclass(frozen=True)
class BridgePlan:
    """One source, one target."""

    name: str
    source: SourcePlan
    target: TargetPlan
