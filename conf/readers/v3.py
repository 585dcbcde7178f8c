"""Generation 3: the native form, but for what it left unsaid."""

from conf.readers.functions import OldDevice, Parts, translate_functions
from conf.readers.sections import begin
from conf.readers.translation import Translation, Tree, entries


def translate(tree: Tree) -> Translation:
    """The native form of a file of generation 3."""
    translation = begin(tree)
    translate_functions(tree, split, translation)
    return translation


def split(func: Tree) -> Parts:
    """A function's parts; devices that are no list stay where they are, for the validation to tell."""
    devices = func.get("devices")
    if not isinstance(devices, list | None):
        return func, {}, []
    head = {key: value for key, value in func.items() if key != "devices"}
    numbered = enumerate(entries(devices))
    return head, {}, [OldDevice(_with_text(each), {"": f"devices[{index}]"}) for index, each in numbered]


def _with_text(device: object) -> object:
    if not isinstance(device, dict) or not isinstance(device.get("deviceAttr"), list):
        return device
    return device | {"deviceAttr": [_text_value(each) for each in device["deviceAttr"]]}


def _text_value(attribute: object) -> object:
    """The older program put quotes around whatever stood there."""
    if not isinstance(attribute, dict) or not isinstance(attribute.get("attrValue"), bool | float):
        return attribute
    return attribute | {"attrValue": str(attribute["attrValue"])}
