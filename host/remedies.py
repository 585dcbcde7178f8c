"""What to do about a check that fails, by the first word of its name."""

from host.health import Check

REMEDIES = {
    "host": "wait until it has started, or see in its log what it waits for",
    "function": "`fnhost logs {name}` shows why, and `fnhost describe {name}` how it is",
    "mqtt": "see that the broker runs, and that `mqtts` in the config has its address, user and password",
    "bridge": "see that its source and its broker answer at the addresses in the config",
    "delivery": "free some of the disk of the state folder, or allow it more (`limits.delivery`)",
}
OTHERWISE = "see the host's log"


def remedy_of(check: Check) -> str:
    """A sentence; empty for a check that does not fail."""
    kind, _, name = check.name.partition(" ")
    return "" if check.ok else REMEDIES.get(kind, OTHERWISE).format(name=name)
