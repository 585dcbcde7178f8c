"""Topic filters and topic names, as MQTT 5 §4.7 has them."""


def covers(topic_filter: str, topic: str) -> bool:
    """Whether a message on `topic` is delivered to a subscription of `topic_filter` (or a shared one)."""
    if topic_filter.startswith("$share/"):
        topic_filter = topic_filter.split("/", 2)[-1]
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    return _levels_match(topic_filter.split("/"), topic.split("/"))


def _levels_match(wanted: list[str], levels: list[str]) -> bool:
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(levels) < len(wanted):
            return False
    elif len(wanted) != len(levels):
        return False
    return all(want in ("+", level) for want, level in zip(wanted, levels, strict=False))


def is_name(topic: str) -> bool:
    """Whether a client may publish to `topic`: 1 to 65,535 bytes, no wildcard, no NUL, not `$…`."""
    if not topic or topic.startswith("$") or any(mark in topic for mark in "+#\0"):
        return False
    try:
        return len(topic.encode()) <= 65535
    except UnicodeEncodeError:
        return False
