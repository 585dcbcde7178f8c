"""Functions of the newer generations: one model name, one function, with all the devices it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conf.readers.translation import Translation, Tree, entries

WITHOUT_DEVICES = (
    "a function without devices takes every event, on purpose; the older program never called it"
)
BY_NAME = "a device without attributes is told by its name"
ONE_INSTANCE = (
    "each function has one instance always, since the older program ran it in one process, where it may "
    "remember things; `scale:` changes that"
)
OLD_PROCESSES = 64
"""The older program's packages might start processes, and must run as they are."""
ALL_HOLD = "all {} attributes must hold, on purpose; the older program let the last one decide"


@dataclass(frozen=True)
class OldDevice:
    """A device in native form, and where its parts stood below its function; the key "" is the whole."""

    device: object
    origins: Mapping[str, str]


Parts = tuple[Tree, dict[str, str], list[OldDevice]]


def translate_functions(tree: Tree, split: Callable[[Tree], Parts], translation: Translation) -> None:
    """Put `funcs` into the translation.

    `split` takes a function apart: what stands beside its devices, origins below it, and its devices.
    """
    if not isinstance(tree.get("funcs"), list):
        translation.tree |= {"funcs": tree["funcs"]} if "funcs" in tree else {}
        return
    told: list[object] = []
    translation.tree["funcs"] = told
    for index, func in enumerate(entries(tree["funcs"])):
        origin = f"funcs[{index}]"
        if not isinstance(func, dict):
            translation.came_from(f"funcs[{len(told)}]", {"": origin})
            told.append(func)
            continue
        head, origins, devices = split(func)
        place = _same_model(told, head) if devices else None
        if place is None:
            place = len(told)
            told.append(head)
            there = {step: f"{origin}.{old}" if old else origin for step, old in {"": "", **origins}.items()}
            translation.came_from(f"funcs[{place}]", there)
        else:
            sentence = f"the devices of {origin} as well, which named the same model"
            translation.note(f"funcs[{place}].devices", sentence)
        _add_devices(place, origin, devices, translation)
    _note_devices(translation)
    keep_one_instance(translation)


def keep_one_instance(translation: Translation) -> None:
    """Let every function run in one process, whatever the load, as it did in the older program."""
    funcs = [func for func in entries(translation.tree.get("funcs")) if isinstance(func, dict)]
    for func in funcs:
        func["scale"] = {"min": 1, "max": 1}
        func["processes"] = OLD_PROCESSES
    if funcs:
        translation.note("funcs", ONE_INSTANCE)


def _same_model(told: list[object], head: Tree) -> int | None:
    """The function before this one that is the same but for its devices."""
    for place, func in enumerate(told):
        if isinstance(func, dict) and func.get("devices") and func == head | {"devices": func["devices"]}:
            return place
    return None


def _add_devices(place: int, origin: str, devices: list[OldDevice], translation: Translation) -> None:
    func = entries(translation.tree["funcs"])[place]
    assert isinstance(func, dict)
    there = func.setdefault("devices", [])
    for each in devices:
        path = f"funcs[{place}].devices[{len(there)}]"
        translation.came_from(path, {step: f"{origin}.{old}" for step, old in each.origins.items()})
        there.append(each.device)


def _note_devices(translation: Translation) -> None:
    for index, func in enumerate(entries(translation.tree["funcs"])):
        if isinstance(func, dict):
            if not func.get("devices"):
                translation.note(f"funcs[{index}]", WITHOUT_DEVICES)
            for number, device in enumerate(entries(func.get("devices"))):
                _note_attributes(f"funcs[{index}].devices[{number}]", device, translation)


def _note_attributes(path: str, device: object, translation: Translation) -> None:
    attributes = entries(device.get("deviceAttr")) if isinstance(device, dict) else []
    if not attributes:
        translation.note(path, BY_NAME)
    elif len(attributes) > 1:
        translation.note(path, ALL_HOLD.format(len(attributes)))
