"""Generation 2.1: each device with one expression for its name and one for its point."""

from conf.readers.functions import OldDevice, Parts, translate_functions
from conf.readers.sections import begin
from conf.readers.translation import Translation, Tree, entries
from conf.readers.v2 import USUAL, rename

EXPRESSIONS = {"deviceName": "deviceParseExpression", "pointName": "pointParseExpression"}
OLD_KEYS = {"deviceParseExpression", "pointName", "pointParseExpression"}


def translate(tree: Tree) -> Translation:
    """The native form of a file of generation 2.1."""
    translation = begin(tree)
    translate_functions(tree, split, translation)
    return translation


def split(func: Tree) -> Parts:
    """A function's parts; devices that are no list stay where they are, for the validation to tell."""
    renamed, origins = rename(func)
    devices = renamed.pop("devices", None)
    if not isinstance(devices, list | None):
        return renamed | {"devices": devices}, origins, []
    return renamed, origins, [_device(index, each) for index, each in enumerate(entries(devices))]


def _device(index: int, device: object) -> OldDevice:
    path = f"devices[{index}]"
    if not isinstance(device, dict):
        return OldDevice(device, {"": path})
    attributes: list[object] = []
    origins = {"": path}
    for key, usual in USUAL.items():
        if device.get(key) is not None and (key == "pointName" or OLD_KEYS & device.keys()):
            place = f"deviceAttr[{len(attributes)}]"
            text = device.get(EXPRESSIONS[key]) or usual
            attributes.append({"attrName": key, "attrValue": device[key], "attrExpression": text})
            origins[f"{place}.attrValue"] = f"{path}.{key}"
            origins[f"{place}.attrExpression"] = f"{path}.{EXPRESSIONS[key]}"
    rest = {key: value for key, value in device.items() if key not in OLD_KEYS}
    own = entries(rest.pop("deviceAttr", None))
    origins |= {f"deviceAttr[{len(attributes) + n}]": f"{path}.deviceAttr[{n}]" for n in range(len(own))}
    return OldDevice(rest | ({"deviceAttr": [*attributes, *own]} if attributes or own else {}), origins)
