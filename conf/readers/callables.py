"""Functions of the first generations: callables in a Python path, each fed by a rule of its own."""

from collections.abc import Collection

from conf.readers.translation import Translation, Tree

FOLDER = ["."]
FOUND = "old files never said where the code lies: in the folder of this file; name others in `pythonPath`"


def make_function(name: object, entry: object, tree: Tree) -> Tree:
    """The native function; `pythonPath` at the file's top level says where the code lies."""
    named = {} if name is None else {"modelName": name}
    called = {} if entry is None else {"entry": entry}
    return named | called | {"pythonPath": tree.get("pythonPath", FOLDER)}


def note_path(index: int, tree: Tree, translation: Translation) -> None:
    """Say where the code is looked for when the file does not."""
    if "pythonPath" not in tree:
        translation.note(f"funcs[{index}].pythonPath", FOUND)
    else:
        translation.came_from(f"funcs[{index}]", {"pythonPath": "pythonPath"})


def unique(name: object, taken: Collection[object]) -> object:
    """`name`, with a number behind it when another function has it."""
    number, chosen = 1, name
    while name is not None and chosen in taken:
        number += 1
        chosen = f"{name}-{number}"
    return chosen
