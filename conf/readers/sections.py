"""What the newer generations share: brokers, rules, and what stands beside them."""

from conf.readers.client_ids import separate_ids
from conf.readers.translation import Translation, Tree, entries

LISTEN = "127.0.0.1:5888"
UNUSED = ("app_name", "description")
TIMEOUT = "10s"


def begin(tree: Tree) -> Translation:
    """A translation with everything of `tree` but `funcs`; where to listen, no old file says."""
    translation = Translation({"listen": LISTEN})
    translation.note("listen", f"old files never said where to listen: {LISTEN} it is, only for this machine")
    translation.tree |= {key: value for key, value in tree.items() if key not in (*UNUSED, "funcs")}
    for key in UNUSED:
        if key in tree:
            translation.note("", f"`{key}` is left out, since nothing reads it")
    if isinstance(tree.get("mqtts"), list):
        brokers = enumerate(entries(tree["mqtts"]))
        translation.tree["mqtts"] = [_broker(index, item, translation) for index, item in brokers]
    if isinstance(tree.get("rules"), list):
        rules = enumerate(entries(tree["rules"]))
        translation.tree["rules"] = [_rule(index, item, translation) for index, item in rules]
    separate_ids(translation)
    return translation


def _broker(index: int, broker: object, translation: Translation) -> object:
    if not isinstance(broker, dict):
        return broker
    path, told = f"mqtts[{index}]", dict(broker)
    for key, value, meaning in (("qos", 0, "0"), ("retain", False, "false")):
        if told.get(key) is None:
            told[key] = value
            translation.note(f"{path}.{key}", f"`{key}` was absent, which means {meaning}")
    return told


def _rule(index: int, rule: object, translation: Translation) -> object:
    if not isinstance(rule, dict):
        return rule
    sides = {side: rule[side] for side in ("sub", "pub") if isinstance(rule.get(side), dict)}
    told = {side: _side(f"rules[{index}].{side}", value, translation) for side, value in sides.items()}
    if "pub" in told:
        _read_timeout(f"rules[{index}].pub", told["pub"], translation)
    return rule | told


def _side(path: str, side: Tree, translation: Translation) -> Tree:
    if "clientid" not in side or "clientId" in side:
        return dict(side)
    translation.came_from(path, {"clientId": f"{path}.clientid"})
    return {"clientId" if key == "clientid" else key: value for key, value in side.items()}


def _read_timeout(path: str, pub: Tree, translation: Translation) -> None:
    timeout = pub.get("timeout")
    if timeout is None:
        pub["timeout"] = TIMEOUT
        translation.note(f"{path}.timeout", "`timeout` was absent, which means 10 seconds")
    elif timeout == 0 and timeout is not False:
        pub["timeout"] = TIMEOUT
        translation.note(
            f"{path}.timeout", "`timeout` was 0, which the older program did not heed: 10 seconds"
        )
    elif isinstance(timeout, int | float) and not isinstance(timeout, bool):
        pub["timeout"] = f"{timeout}s"
        translation.note(f"{path}.timeout", f"`timeout` was a bare {timeout}: read as seconds")
    elif isinstance(timeout, str) and timeout.strip().isdecimal() and timeout.isascii():
        pub["timeout"] = f"{timeout.strip()}s"
        translation.note(f"{path}.timeout", f"`timeout` was a bare {timeout.strip()}: read as seconds")
