"""What the host cannot do yet, and the torture therefore does not ask for; to become empty."""

KEYS = frozenset({"retry", "order"})
"""Keys of a rule that the config knows and the rule does not obey."""

POINTS = frozenset(
    {
        "event.received",
        "event.dispatched",
        "event.answered",
        "event.failed",
        "result.sent",
        "result.confirmed",
        "ack.before",
        "ack.after",
        "store.before-commit",
        "store.committed",
        "store.opening",
        "store.migrating",
        "store.recovered",
        "store.checkpoint",
        "inbox.marked",
        "letter.committed",
        "retry.waiting",
        "async.accepted",
        "async.answered",
        "timer.due",
        "deploy.switched",
    }
)
"""Crash points that the host does not pass yet."""
