"""The groups that operations are shown in, told by where their paths begin."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tag:
    """A group; of two whose beginnings fit the longer counts."""

    name: str
    says: str
    beginnings: tuple[str, ...]


TAGS = (
    Tag(
        "Invocations",
        "Run a function on an event and have its answer, at once or later.",
        ("/invoke/", "/api/invocations"),
    ),
    Tag("Functions", "What is deployed, how it runs, and why.", ("/api/functions",)),
    Tag("Dead letters", "Events that failed for good: look, try again, throw away.", ("/api/dead-letters",)),
    Tag(
        "Observation",
        "What functions, devices and the host do, and did: metrics, history, records, usage.",
        (
            "/metrics",
            "/api/metrics",
            "/api/history",
            "/api/records",
            "/api/device",
            "/api/usage",
            "/queue_size_metrics",
        ),
    ),
    Tag(
        "Triggers", "Brokers and timers that events come from.", ("/api/mqtt", "/api/timers", "/api/delivery")
    ),
    Tag(
        "Access",
        "Tokens, sessions, and the log of what was done.",
        ("/api/tokens", "/api/audit", "/api/session"),
    ),
    Tag("Host", "Its health, its config, and this document.", ("/",)),
)


def tag_of(path: str) -> str:
    """The name of the group that a path belongs to."""
    fitting = [(len(start), tag.name) for tag in TAGS for start in tag.beginnings if path.startswith(start)]
    return max(fitting)[1]
