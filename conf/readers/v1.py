"""Generation 1: a list `edge`, each entry with its own brokers, topics and callable."""

from dataclasses import dataclass, field

from conf.faults import nearest
from conf.readers.callables import make_function, note_path, unique
from conf.readers.functions import OLD_PROCESSES
from conf.readers.sections import LISTEN, UNUSED
from conf.readers.translation import Translation, Tree, entries

REQUIRED = ("name", "pre_broker", "pre_topic", "edge_mode", "post_broker", "post_topic")
KNOWN = (*REQUIRED, "instance", "pre_port", "pre_qos", "post_port", "post_qos")
MADE_ID = "client ids are made of the name; two hosts at one broker need different ones"
ORIGINS = {
    "rules": {
        "": "",
        "name": ".name",
        "functions": ".name",
        "functions[0]": ".name",
        "sub.clientId": ".name",
        "sub.name": ".pre_broker",
        "sub.topic": ".pre_topic",
        "pub.name": ".post_broker",
        "pub.topic": ".post_topic",
    },
    "funcs": {
        "": "",
        "modelName": ".name",
        "entry": ".edge_mode",
        "scale": ".instance",
        "scale.min": ".instance",
        "scale.max": ".instance",
    },
}


def translate(tree: Tree) -> Translation:
    """The native form of a file of generation 1."""
    reader = _Reader(tree)
    for key in tree:
        if key not in ("edge", "pythonPath", *UNUSED):
            reader.out.refuse(key, "is not a known key beside `edge`", _hint(key, ("edge", *UNUSED)))
    if not isinstance(tree["edge"], list):
        reader.out.refuse("edge", "must be a list")
    for index, edge in enumerate(entries(tree["edge"])):
        reader.read(index, edge)
    return reader.finish()


def _hint(key: str, known: tuple[str, ...]) -> str:
    near = nearest(key, list(known))
    return f"did you mean `{near}`?" if near else f"known keys: {', '.join(known)}"


@dataclass
class _Reader:
    tree: Tree
    out: Translation = field(default_factory=Translation)
    brokers: dict[tuple[str, str, object], str] = field(default_factory=dict)
    rules: list[Tree] = field(default_factory=list)
    funcs: list[Tree] = field(default_factory=list)

    def read(self, index: int, edge: object) -> None:
        """Add an entry's brokers, rule and function, unless it lacks something."""
        path = f"edge[{index}]"
        if not isinstance(edge, dict):
            self.out.refuse(path, "must be a mapping of keys to values")
        elif self._is_complete(path, edge):
            self._add(path, edge)

    def finish(self) -> Translation:
        """The translation as a whole."""
        listening = f"old files never said where to listen: {LISTEN} it is, only for this machine"
        self.out.note("listen", listening)
        for key in UNUSED:
            if key in self.tree:
                self.out.note("", f"`{key}` is left out, since nothing reads it")
        brokers = [
            {"name": name, "broker": f"{host if '://' in host else f'tcp://{host}'}:{port}", "qos": qos}
            for (host, port, qos), name in self.brokers.items()
        ]
        self.out.tree = {"listen": LISTEN, "mqtts": brokers, "rules": self.rules, "funcs": self.funcs}
        return self.out

    def _is_complete(self, path: str, edge: Tree) -> bool:
        unknown = [key for key in edge if key not in KNOWN]
        missing = [key for key in REQUIRED if edge.get(key) is None]
        for key in unknown:
            self.out.refuse(f"{path}.{key}", "is not a known key", _hint(key, KNOWN))
        for key in missing:
            self.out.refuse(f"{path}.{key}", "is required")
        return not missing

    def _add(self, path: str, edge: Tree) -> None:
        place, name = len(self.rules), edge["name"]
        chosen = unique(name, [func["modelName"] for func in self.funcs])
        if chosen != name:
            self.out.note(f"funcs[{place}].modelName", f"another entry is called {name}: {chosen} instead")
        sub = {
            "name": self._broker(path, edge, "pre"),
            "clientId": f"{chosen}-in",
            "topic": edge["pre_topic"],
        }
        pub = {
            "name": self._broker(path, edge, "post"),
            "clientId": f"{chosen}-out",
            "topic": edge["post_topic"],
        }
        rule = {"name": chosen, "sub": sub, "pub": pub, "functions": [chosen], "subProcess": name}
        func = make_function(chosen, edge["edge_mode"], self.tree)
        if (instances := edge.get("instance")) is None:
            self.out.note(f"funcs[{place}].scale", "`instance` was absent, which means 1")
            instances = 1
        # Neither more nor fewer, whatever the load: what these callables remember lies in their processes.
        func |= {"scale": {"min": instances, "max": instances}, "processes": OLD_PROCESSES}
        self.rules.append(rule)
        self.funcs.append(func)
        for section, origins in ORIGINS.items():
            whence = {step: path + old for step, old in origins.items()}
            self.out.came_from(f"{section}[{place}]", whence)
        self.out.note(f"rules[{place}].sub.clientId", MADE_ID)
        note_path(place, self.tree, self.out)

    def _broker(self, path: str, edge: Tree, side: str) -> str:
        """The name of a broker with this address and quality of service, added when it is not there."""
        host, port, qos = str(edge[f"{side}_broker"]), edge.get(f"{side}_port"), edge.get(f"{side}_qos")
        place = len(self.brokers)
        key = (host, str(1883 if port is None else port), 0 if qos is None else qos)
        if key not in self.brokers:
            same = any(known[:2] == key[:2] for known in self.brokers)
            self.brokers[key] = f"{host}:{key[1]}" + (f"-qos{qos or 0}" if same else "")
            origins = {"": "_broker", "broker": "_broker", "qos": "_qos"}
            whence = {step: f"{path}.{side}{old}" for step, old in origins.items()}
            self.out.came_from(f"mqtts[{place}]", whence)
            for part, value, meaning in (("port", port, 1883), ("qos", qos, 0)):
                if value is None:
                    at = f"mqtts[{place}].{'broker' if part == 'port' else part}"
                    self.out.note(at, f"`{side}_{part}` was absent, which means {meaning}")
        return self.brokers[key]
