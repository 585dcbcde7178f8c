"""Tells the generations of config files apart by their shape."""

from collections.abc import Callable, Iterator

from conf.bridge import BridgeConfig
from conf.funcs import Func
from conf.models import Config
from conf.mqtt import Broker, Rule
from conf.readers import v1, v2, v3, v15, v21
from conf.readers.translation import Translation, Tree, entries
from conf.types import Section

NATIVE = "native"
INSTEAD = (
    "write each under `funcs`, as {modelName: NAME, modelAddress: ADDRESS, devices: [{deviceName: DEVICE,"
    " deviceAttr: [{attrName: pointName, attrValue: POINT,"
    " attrExpression: \"in data_to_dict['telemetry']\"}]}]}, beside `mqtts` and `rules`"
)
KNOWN_TO_V3 = {
    "": {"mqtts", "rules", "funcs", "expose"},
    "mqtts": {"name", "broker", "qos", "retain"},
    "rules": {"sub", "pub"},
    "funcs": {"modelName", "modelAddress", "modelMd5", "devices"},
}
SECTIONS: dict[str, type[Section]] = {"mqtts": Broker, "rules": Rule, "funcs": Func, "bridges": BridgeConfig}


def translate(tree: Tree) -> tuple[str, Translation]:
    """The name of the generation, and the native form of what stands in the file."""
    generation = recognise(tree)
    translators: dict[str, Callable[[Tree], Translation]] = {
        NATIVE: Translation,
        "stray": _refuse_stray,
        "v1": v1.translate,
        "v1.5": v15.translate,
        "v2": v2.translate,
        "v2.1": v21.translate,
        "v3": v3.translate,
    }
    return generation, translators[generation](tree)


def recognise(tree: Tree) -> str:
    """`native`, the generation of the older program's file, or `stray` for what never was a config."""
    if isinstance(tree.get("func"), list):
        return "stray"
    if "edge" in tree:
        return "v1"
    funcs, rules = _mappings(tree, "funcs"), _mappings(tree, "rules")
    if any("func" in rule for rule in rules):
        return "v1.5"
    devices = [
        device for func in funcs for device in entries(func.get("devices")) if isinstance(device, dict)
    ]
    if any(v21.OLD_KEYS & device.keys() for device in devices):
        return "v2.1"
    if any(v2.OLD_KEYS & func.keys() for func in funcs):
        return "v2"
    return "v3" if any("modelName" in func for func in funcs) and not _has_native_keys(tree) else NATIVE


def _refuse_stray(tree: Tree) -> Translation:
    refused = Translation()
    refused.refuse("func", "a list of functions by zip address is no config, and never was one", INSTEAD)
    return refused


def _has_native_keys(tree: Tree) -> bool:
    """Whether a key is there that the older program did not have."""
    native = {field.alias or name for name, field in Config.model_fields.items()} - KNOWN_TO_V3[""]
    return bool(native & tree.keys()) or any(_native_entries(tree))


def _native_entries(tree: Tree) -> Iterator[bool]:
    for section in ("mqtts", "rules", "funcs"):
        fields = SECTIONS[section].model_fields.items()
        native = {field.alias or name for name, field in fields} - KNOWN_TO_V3[section]
        yield any(native & entry.keys() for entry in _mappings(tree, section))


def _mappings(tree: Tree, section: str) -> list[Tree]:
    return [entry for entry in entries(tree.get(section)) if isinstance(entry, dict)]
