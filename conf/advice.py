"""What a config without faults promises less than it seems to."""

from collections.abc import Iterator

from conf.faults import Fault
from conf.models import Config
from conf.mqtt import Rule


def advise(config: Config) -> Iterator[Fault]:
    """What a person should know of the rules, at native paths; none of it keeps a host from running."""
    unsure = {broker.name for broker in config.mqtts if broker.qos == 0}
    retrying = {func.model_name for func in config.funcs if func.retry is not None}
    for index, rule in enumerate(config.rules):
        names = retrying if rule.functions is None else retrying.intersection(rule.functions)
        retries = rule.retry is not None or bool(names)
        path = f"rules[{index}]"
        if rule.sub.name in unsure:
            yield from _unsure(path, rule, retries)
        if rule.max_age is not None and retries:
            told = "an event that waits to be tried again may grow too old, and is dropped then"
            yield Fault(f"{path}.max_age", told, "no dead letter is kept of it")
        if rule.group is not None:
            yield from _shared(path, rule)


def _unsure(path: str, rule: Rule, retries: bool) -> Iterator[Fault]:
    wanted = {"order": rule.order != "none", "dedupe": rule.dedupe is not None, "retry": retries}
    keys = " and ".join(f"`{key}`" for key, is_wanted in wanted.items() if is_wanted)
    if keys:
        told = (
            f"{keys} hold as far as events come, but broker {rule.sub.name!r} has QoS 0, so they may be lost"
        )
        yield Fault(path, told, "write `qos: 1` at the broker")


def _shared(path: str, rule: Rule) -> Iterator[Fault]:
    wanted = {"order": rule.order != "none", "dedupe": rule.dedupe is not None, "latest": bool(rule.latest)}
    for key in (key for key, is_wanted in wanted.items() if is_wanted):
        yield Fault(f"{path}.{key}", "holds within each host of the group, not between them")
    if rule.retained:
        told = "brokers send no kept messages to a group (MQTT 5, section 4.8.2)"
        yield Fault(f"{path}.retained", told)
