"""MQTT topic names and filters: which are valid, and which filter takes which topic (MQTT 5, section 4.7)."""

import unicodedata

LONGEST = 65_535  # bytes of UTF-8, since the length travels in two bytes


def check_topic(topic: str) -> str:
    """`topic` if one can publish to it, else ValueError."""
    _check_text(topic)
    if "+" in topic or "#" in topic:
        raise ValueError(f"{topic!r} has a wildcard; results are published to one topic, without + or #")
    return topic


def is_publishable(topic: str) -> bool:
    """Whether a client may publish to `topic`; those with `$` are the broker's own."""
    try:
        check_topic(topic)
    except ValueError:
        return False
    return not topic.startswith("$")


def check_filter(topic_filter: str) -> str:
    """`topic_filter` if one can subscribe to it, else ValueError."""
    _check_text(topic_filter)
    levels = unshared(topic_filter).split("/")
    for position, level in enumerate(levels, 1):
        if "#" in level and (level != "#" or position != len(levels)):
            raise ValueError(f"{topic_filter!r} is no topic filter: # must stand alone at the end, after a /")
        if "+" in level and level != "+":
            raise ValueError(f"{topic_filter!r} is no topic filter: + must stand alone between slashes")
    return topic_filter


def check_group(group: str) -> str:
    """`group` if a shared subscription can be called so (MQTT 5, section 4.8.2), else ValueError."""
    _check_text(group)
    if set(group) & set("/+#"):
        raise ValueError(f"{group!r} is no name of a group: it cannot hold / + or #")
    return group


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a subscription to `topic_filter` receives what is published to `topic`."""
    wanted = unshared(topic_filter).split("/")
    levels = topic.split("/")
    if topic.startswith("$") and wanted[0] in ("#", "+"):
        return False
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]  # `a/#` takes `a` as well
    return len(wanted) == len(levels) and all(
        want in ("+", level) for want, level in zip(wanted, levels, strict=True)
    )


def unshared(topic_filter: str) -> str:
    """The filter inside `$share/<group>/<filter>`, or the filter itself; ValueError when it is incomplete."""
    if not topic_filter.startswith("$share/"):
        return topic_filter
    parts = topic_filter.split("/", 2)
    if len(parts) < 3 or not parts[1] or not parts[2] or set(parts[1]) & set("+#"):
        raise ValueError(f"{topic_filter!r} is no shared subscription; write $share/<group>/<topic filter>")
    return parts[2]


def _check_text(topic: str) -> None:
    if not topic:
        raise ValueError("must not be empty")
    if "\0" in topic:
        raise ValueError("a topic cannot hold the NUL character")
    if not topic.isprintable() and any(unicodedata.category(sign) == "Cc" for sign in topic):
        raise ValueError("a topic cannot hold control characters; brokers end the connection for them")
    if len(topic.encode()) > LONGEST:
        raise ValueError(f"a topic has at most {LONGEST:,} bytes")
