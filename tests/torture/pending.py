"""What the host cannot do yet, and the torture therefore does not ask for; to become empty."""

KEYS = frozenset({"retry", "order"})
"""Keys of a rule that the config knows and the rule does not obey."""
