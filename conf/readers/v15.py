"""Generation 1.5: brokers and rules as in generation 2, and a callable in each rule."""

from conf.readers.callables import make_function, note_path, unique
from conf.readers.functions import keep_one_instance
from conf.readers.sections import begin
from conf.readers.translation import Translation, Tree, entries


def translate(tree: Tree) -> Translation:
    """The native form of a file of generation 1.5."""
    translation = begin({key: value for key, value in tree.items() if key != "pythonPath"})
    funcs: list[object] = []
    translation.tree["funcs"] = funcs
    for index, rule in enumerate(entries(translation.tree["rules"])):
        if isinstance(rule, dict) and "func" in rule:
            _add_function(index, rule, tree, translation)
    keep_one_instance(translation)
    return translation


def _add_function(index: int, rule: Tree, tree: Tree, translation: Translation) -> None:
    funcs, rules = entries(translation.tree["funcs"]), entries(translation.tree["rules"])
    name, place = rule.get("name"), len(funcs)
    chosen = unique(name, [func.get("modelName") for func in funcs if isinstance(func, dict)])
    funcs.append(make_function(chosen, rule.pop("func"), tree))
    origins = {"": "", "modelName": ".name", "entry": ".func"}
    translation.came_from(f"funcs[{place}]", {step: f"rules[{index}]{old}" for step, old in origins.items()})
    note_path(place, tree, translation)
    if name is None:
        return
    if chosen != name:
        translation.note(f"funcs[{place}].modelName", f"another rule is called {name}: {chosen} instead")
    bound = {"functions": [chosen], "subProcess": name}
    rules[index] = {"name": chosen} | {key: value for key, value in rule.items() if key != "name"} | bound
    translation.came_from(f"rules[{index}]", dict.fromkeys([*bound, "functions[0]"], f"rules[{index}].name"))
