"""What the host cannot do yet, and the torture therefore does not ask for; to become empty."""

KEYS: frozenset[str] = frozenset()
"""Keys of a rule that the config knows and the rule does not obey."""

POINTS: frozenset[str] = frozenset()
"""Crash points that the host does not pass yet."""
