"""Generation 2: one device and one point for each function."""

from conf.readers.functions import OldDevice, Parts, translate_functions
from conf.readers.sections import begin
from conf.readers.translation import Translation, Tree, entries

USUAL = {
    "deviceName": "== data_to_dict['deviceInfo']['deviceName']",
    "pointName": "in data_to_dict['telemetry']",
}
RENAMED = {"model_address": "modelAddress", "model_md5": "modelMd5"}
OLD_KEYS = {"model_address", "model_md5", "deviceName", "pointName"}


def translate(tree: Tree) -> Translation:
    """The native form of a file of generation 2."""
    translation = begin(tree)
    translate_functions(tree, split, translation)
    return translation


def split(func: Tree) -> Parts:
    """A function's parts; its device and its point are one device with an attribute for each."""
    head, origins = rename(func)
    if not isinstance(head.get("devices"), list | None):
        return head, origins, []  # for the validation to tell
    names = {key: head.pop(key, None) for key in ("deviceName", "pointName")}
    given = [(key, text) for key, text in names.items() if text is not None]
    own = enumerate(entries(head.pop("devices", None)))
    devices = [OldDevice(each, {"": f"devices[{number}]"}) for number, each in own]
    return head, origins, [*devices, _device(given)] if given else devices


def rename(func: Tree) -> tuple[Tree, dict[str, str]]:
    """The function with its keys in native spelling, and the spelling that each had before."""
    new = {key: RENAMED.get(key, key) for key in func}
    origins = {name: key for key, name in new.items() if key in RENAMED and name not in func}
    renamed = {name if name in origins else key: func[key] for key, name in new.items()}
    order = sorted(renamed, key=lambda key: key != "modelName")  # the name first
    return {key: renamed[key] for key in order}, origins


def _device(given: list[tuple[str, object]]) -> OldDevice:
    attributes = [{"attrName": key, "attrValue": text, "attrExpression": USUAL[key]} for key, text in given]
    origins = {"": given[0][0]}
    for number, (key, _) in enumerate(given):
        origins |= {f"deviceAttr[{number}]": key, f"deviceAttr[{number}].attrValue": key}
    labelled = {key: text for key, text in given if key == "deviceName"}
    return OldDevice({**labelled, "deviceAttr": attributes}, {"deviceName": "deviceName", **origins})
