"""What was found in pickles, bounded: imports, calls, and the versions that they were made with."""

from dataclasses import dataclass, field

from .pickle_opcodes import PickleFaultError, Source

MOST_IMPORTS = 1000
LONGEST_NAME = 300
OPCODES_AT_A_TIME = 4096
# Arguments of `types.CodeType`, in which cloudpickle stores functions by their byte code.
CODE_SHAPES = {15: "3.7 or older", 16: "3.8 to 3.10"}
RESUME = {151: "3.11 or 3.12", 149: "3.13", 128: "3.14"}
"""The opcode RESUME of each CPython (Include/opcode_ids.h), with which code begins from 3.11 on."""


@dataclass
class Findings:
    """What pickles import, what of that they call when they are loaded, and which versions they tell.

    `python` has the versions whose byte code is in them. `left` is how many opcodes may still be read.
    """

    left: int
    protocol: int = 0
    imports: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    python: dict[str, None] = field(default_factory=dict)

    def spend(self, source: Source) -> None:
        """Another opcode; raises PickleFaultError when that is too many, or takes too long."""
        self.left -= 1
        if not self.left % OPCODES_AT_A_TIME:
            source.check_time()
        if self.left < 0:
            raise PickleFaultError("has more opcodes than are read; what comes later is not known")

    def note(self, names: dict[str, None], name: str) -> None:
        """Add a name, once."""
        if name not in names and len(names) >= MOST_IMPORTS:
            raise PickleFaultError(f"imports more than {MOST_IMPORTS} names; the others are not known")
        names[name] = None

    def note_code(self, arguments: object) -> None:
        """Which Python made the byte code that `types.CodeType` is called with."""
        if isinstance(arguments, tuple) and len(arguments) >= min(CODE_SHAPES):
            version = CODE_SHAPES.get(len(arguments)) or _version_of(arguments[6])
            self.note(self.python, version)


def _version_of(code: object) -> str:
    told = [RESUME[each] for each in code[:64:2] if each in RESUME] if isinstance(code, bytes) else []
    return told[0] if told else "3.11 or later"
