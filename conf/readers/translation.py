"""What a reader hands over: the native tree, what it assumed, and where each thing stood before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from conf.faults import Fault, below

Tree = dict[str, object]


@dataclass
class Translation:
    """A native tree in the making; paths are those of the native tree, origins those of the user's file."""

    tree: Tree = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    def note(self, path: str, sentence: str) -> None:
        """Remember an assumption made at a native path."""
        self.notes.append((path, sentence))

    def came_from(self, path: str, origins: Mapping[str, str]) -> None:
        """Remember where what stands below a native path stood; the key "" is the path itself."""
        for step, origin in origins.items():
            self.origins[below(path, step) if step else path] = origin

    def refuse(self, path: str, message: str, hint: str | None = None) -> None:
        """Tell a fault at a path of the user's own file."""
        self.faults.append(Fault(path, message, hint))

    def origin(self, path: str) -> str:
        """The path in the user's file of what has this native path."""
        known = path
        while known and known not in self.origins:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        return self.origins[known] + path[len(known) :] if known else path


def entries(value: object) -> list[object]:
    """The items of a list; none where there is no list, which the validation then tells."""
    return value if isinstance(value, list) else []
