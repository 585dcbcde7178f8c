"""Gives each connection its own client id, where an old file uses one for several.

The older program ignored the ids for random ones; a broker ends the older of two connections with one id.
"""

from collections.abc import Iterator

from conf.bridge import broker_endpoint
from conf.mqtt import check_broker_url
from conf.readers.translation import Translation, Tree, entries

Key = tuple[str, str]


def separate_ids(translation: Translation) -> None:
    """Suffix the ids that subscriptions share, and those that a subscription shares with a publisher."""
    addresses = _addresses(translation.tree)
    taken: set[Key] = set()
    for path, sub in _sides(translation.tree, "sub"):
        taken.add(_separate(path, sub, (addresses, taken, translation)))
    subscribing = frozenset(taken)
    renamed: dict[Key, str] = {}
    for path, pub in _sides(translation.tree, "pub"):
        before = _key(pub, addresses)
        if before in renamed:
            pub["clientId"] = renamed[before]  # publishers that shared an id go on to share one
        elif before in subscribing:
            _separate(path, pub, (addresses, taken, translation))
            renamed[before] = str(pub["clientId"])
        taken.add(_key(pub, addresses))


def _separate(path: str, side: Tree, known: tuple[dict[str, str], set[Key], Translation]) -> Key:
    addresses, taken, translation = known
    address, wanted = _key(side, addresses)
    number, client_id = 1, wanted
    while (address, client_id) in taken:
        number += 1
        client_id = f"{wanted}-{number}"
    if number > 1:
        side["clientId"] = client_id
        translation.note(
            f"{path}.clientId", f"{wanted!r} is the id of another connection: {client_id} instead"
        )
    return address, client_id


def _sides(tree: Tree, side: str) -> Iterator[tuple[str, Tree]]:
    """The connections that have an id."""
    for index, rule in enumerate(entries(tree.get("rules"))):
        connection = rule.get(side) if isinstance(rule, dict) else None
        if isinstance(connection, dict) and isinstance(connection.get("clientId"), str | int):
            yield f"rules[{index}].{side}", connection


def _addresses(tree: Tree) -> dict[str, str]:
    """The host and port of each broker by its name: two names may mean one broker."""
    brokers = [each for each in entries(tree.get("mqtts")) if isinstance(each, dict)]
    return {str(each.get("name")): _address(str(each.get("broker"))) for each in brokers}


def _address(url: str) -> str:
    try:
        return str(broker_endpoint(check_broker_url(url)))
    except ValueError:
        return url  # a reference, or a fault that the validation tells


def _key(side: Tree, addresses: dict[str, str]) -> Key:
    name = str(side.get("name"))
    return addresses.get(name, name), str(side["clientId"])
