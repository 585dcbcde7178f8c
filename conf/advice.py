"""What a config without faults promises less than it seems to."""

from collections.abc import Iterator

from conf.faults import Fault
from conf.models import Config
from conf.mqtt import Rule


def advise(config: Config, native: bool = True) -> Iterator[Fault]:
    """What a person should know of brokers and rules, at native paths; none of it keeps a host from running.

    Whoever brings a file that is not `native` knows that the older program lost events with QoS 0.
    """
    yield from _brokers(config, native)
    unsure = {broker.name for broker in config.mqtts if broker.qos == 0}
    retrying = _retrying(config)
    for index, rule in enumerate(config.rules):
        retries = _retries(rule, retrying)
        path = f"rules[{index}]"
        if rule.sub.name in unsure:
            yield from _unsure(path, rule, retries)
        if rule.max_age is not None and retries:
            told = "an event that waits to be tried again may grow too old, and is dropped then"
            yield Fault(f"{path}.max_age", told, "no dead letter is kept of it")
        if rule.group is not None:
            yield from _shared(path, rule)


def _brokers(config: Config, native: bool) -> Iterator[Fault]:
    retrying = _retrying(config)
    for index, broker in enumerate(config.mqtts):
        rules = [rule for rule in config.rules if rule.sub.name == broker.name]
        # What is said of a rule of the broker says this as well.
        told = any(_sure_keys(rule, _retries(rule, retrying)) for rule in rules)
        if rules and broker.qos == 0 and native and not told:
            lost = f"events of broker {broker.name!r} may be lost: it has QoS 0"
            yield Fault(f"mqtts[{index}]", lost, "write `qos: 1`")
        if rules and broker.qos == 2:
            yield Fault(
                f"mqtts[{index}].qos", "events are taken with QoS 1, since QoS 2 can lose them in a crash"
            )


def _unsure(path: str, rule: Rule, retries: bool) -> Iterator[Fault]:
    if keys := _sure_keys(rule, retries):
        listed = " and ".join(f"`{key}`" for key in keys)
        told = (
            f"{listed} {'holds' if len(keys) == 1 else 'hold'} as far as events come, but broker"
            f" {rule.sub.name!r} has QoS 0, so they may be lost"
        )
        yield Fault(path, told, "write `qos: 1` at the broker")


def _sure_keys(rule: Rule, retries: bool) -> list[str]:
    """The keys of the rule that are of use only where no event is lost."""
    wanted = {"order": rule.order != "none", "dedupe": rule.dedupe is not None, "retry": retries}
    return [key for key, is_wanted in wanted.items() if is_wanted]


def _retrying(config: Config) -> set[str]:
    return {func.model_name for func in config.funcs if func.retry is not None}


def _retries(rule: Rule, retrying: set[str]) -> bool:
    names = retrying if rule.functions is None else retrying.intersection(rule.functions)
    return rule.retry is not None or bool(names)


def _shared(path: str, rule: Rule) -> Iterator[Fault]:
    wanted = {"order": rule.order != "none", "dedupe": rule.dedupe is not None, "latest": bool(rule.latest)}
    for key in (key for key, is_wanted in wanted.items() if is_wanted):
        yield Fault(f"{path}.{key}", "holds within each host of the group, not between them")
    if rule.retained:
        told = "brokers send no kept messages to a group (MQTT 5, section 4.8.2)"
        yield Fault(f"{path}.retained", told)
