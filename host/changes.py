"""Tells two configs apart: what differs, and which of it needs the host to be started again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TypeVar

from pydantic import BaseModel

from conf.limits import Limits
from conf.models import Config
from host.web.certificates import needs_restart
from runtime.spec import Bounds

LIVE_LIMITS = (
    *("max_body", "bodies", "revisions", "log_size", *(each.name for each in fields(Bounds))),
    *("functions", "package", "files", "unpacked", "ratio", "depth", "disk"),
)
# How much the delivery database holds, and for how long, is decided when it is opened.
# How much memory all pools may use is decided before the first of them starts.
KEPT_LIMITS = tuple(f"limits.{name}" for name in Limits.model_fields if name not in LIVE_LIMITS)
NEEDS_RESTART = (
    "listen",
    "state",
    "allow_anonymous",
    "access",
    "callback_hosts",
    "expose",
    "isolation",
    "pickles",
    "records",
    "traces",
    *KEPT_LIMITS,
)

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True)
class SectionChange:
    """What differs between two lists of things that have names."""

    section: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def compare_sections(before: Config, after: Config) -> Iterable[SectionChange]:
    """One for each list that differs."""
    told = (
        _compare("mqtts", before.mqtts, after.mqtts, lambda each: each.name),
        _compare("rules", before.rules, after.rules, lambda each: f"{each.sub.name} {each.sub.client_id}"),
        _compare("funcs", before.funcs, after.funcs, lambda each: each.model_name),
        _compare("bridges", before.bridges, after.bridges, lambda each: each.name),
        _compare("timers", before.timers, after.timers, lambda each: each.name),
        _compare("quotas", before.quotas, after.quotas, lambda each: each.caller),
    )
    return (each for each in told if each.added or each.changed or each.removed)


def restart_keys(before: Config, after: Config) -> list[str]:
    """Keys whose new values take effect when the host is started again."""
    keys = [name for name in NEEDS_RESTART if attrgetter(name)(before) != attrgetter(name)(after)]
    return [*(["tls"] if needs_restart(before.tls, after.tls) else []), *keys]


def changed_keys(before: Config, after: Config) -> list[str]:
    """Keys at the top that differ."""
    return [name for name in Config.model_fields if getattr(before, name) != getattr(after, name)]


def describe_changes(before: Config, after: Config) -> Iterable[str]:
    """A sentence for each section that differs."""
    for each in compare_sections(before, after):
        counts = {"added": len(each.added), "changed": len(each.changed), "removed": len(each.removed)}
        yield f"{each.section}: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if before.secrets != after.secrets:
        names = before.secrets.keys() | after.secrets.keys()
        changed = (name for name in names if before.secrets.get(name) != after.secrets.get(name))
        yield f"secrets: {', '.join(sorted(changed))} changed"
    if before.web != after.web:
        yield "web: names or origins changed"
    if needs_restart(before.tls, after.tls):
        yield "`tls` is changed in more than files, which takes effect when the host is started again"
    if before.log != after.log:
        yield "log: form or level changed"
    for name in LIVE_LIMITS:
        if getattr(before.limits, name) != getattr(after.limits, name):
            yield f"limits: {name} changed"
    for name in NEEDS_RESTART:
        if attrgetter(name)(before) != attrgetter(name)(after):
            yield f"`{name}` is changed, which takes effect when the host is started again"
    if before == after:
        yield "nothing is changed"


def _compare(
    section: str, before: Sequence[Entry], after: Sequence[Entry], key: Callable[[Entry], str]
) -> SectionChange:
    old, new = {key(each): each for each in before}, {key(each): each for each in after}
    return SectionChange(
        section,
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in new if name in old and old[name] != new[name]),
        removed=tuple(name for name in old if name not in new),
    )
