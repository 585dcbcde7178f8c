"""`${env:NAME}` and `${file:path}` in any text of the config, and how what they stood for stays unprinted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from conf.faults import Fault, Location, dotted
from conf.special_files import is_special

REFERENCE = re.compile(r"\$\{(\w+):([^{}]*)\}")
MOST_BYTES = 64 * 1024


@dataclass
class References:
    """Resolves references; relative files start at `folder`. What cannot be resolved is a fault."""

    folder: Path
    env: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)
    resolved: dict[str, str] = field(default_factory=dict)

    def resolve(self, value: object, location: Location = ()) -> object:
        """`value` with every reference in it, however deep, replaced by what it stands for."""
        if isinstance(value, str):
            return REFERENCE.sub(lambda match: self._look_up(match, location), value)
        if isinstance(value, dict):
            return {key: self.resolve(item, (*location, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*location, index)) for index, item in enumerate(value)]
        return value

    def conceal(self, fault: Fault) -> Fault:
        """`fault` with what the references stood for written as the references again."""
        return replace(
            fault, message=self._concealed(fault.message), hint=fault.hint and self._concealed(fault.hint)
        )

    def _concealed(self, text: str) -> str:
        for value in sorted(filter(None, self.resolved), key=len, reverse=True):
            for shape in (value, repr(value)[1:-1]):
                text = text.replace(shape, self.resolved[value])
        return text

    def _look_up(self, match: re.Match[str], location: Location) -> str:
        kind, name = match.groups()
        try:
            value = self._read(kind, name)
        except LookupError as error:
            self.faults.append(Fault(dotted(location), f"{match[0]}: {error.args[0]}"))
            return match[0]
        self.resolved[value] = match[0]
        return value

    def _read(self, kind: str, name: str) -> str:
        if kind == "env":
            if name not in self.env:
                raise LookupError(f"the environment has no {name}: export it")
            return self.env[name]
        if kind == "file":
            return self._read_file(self.folder / Path(name).expanduser())
        raise LookupError(f"there is no {kind}:, only ${{env:NAME}} and ${{file:path}}")

    def _read_file(self, path: Path) -> str:
        if is_special(path):
            raise LookupError(f"{path} is no plain file: name one that is")
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise LookupError(f"{path} is larger than {MOST_BYTES // 1024} KiB")
            return content.decode().removesuffix("\n").removesuffix("\r")
        except OSError as error:
            raise LookupError(
                f"{path} cannot be read ({error.strerror}): mend that, or name another file"
            ) from None
        except UnicodeDecodeError:
            raise LookupError(f"{path} is not UTF-8 text: save it as such") from None
