"""Which imports of pickles are refused, by lists of globs."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# `os.system` is pickled by the name of the module that it was compiled in.
COMPILED = {"posix": "os", "_io": "io", "_codecs": "codecs", "_collections": "collections"}


class PicklePolicy(NamedTuple):
    """Globs of names such as `sklearn.*`, where `*` stands for dots as well.

    A name that is denied is refused, and with `allow` every other one that is not allowed. A name that a
    module has from elsewhere can be had by both names, so lists of what is allowed hold more than lists of
    what is denied; neither is a sandbox.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    @property
    def says_anything(self) -> bool:
        """Whether it refuses anything at all."""
        return bool(self.allow or self.deny)

    def refusal(self, name: str) -> str | None:
        """The line of the policy that refuses the import of `name`; None when none does."""
        if not self.says_anything:
            return None
        names = {name, *_other_names(name)}
        denied = _pattern_of(self.deny)
        if (found := next(filter(None, map(denied.fullmatch, names)), None)) is not None:
            return f"`{self.deny[(found.lastindex or 1) - 1]}` under `deny`"
        if " " in name:
            return "that such a name must be told"
        if self.allow and not any(map(_pattern_of(self.allow).fullmatch, names)):
            return "that no line under `allow` names it"
        return None


@lru_cache(8)
def _pattern_of(globs: tuple[str, ...]) -> re.Pattern[str]:
    """What matches a name that any of the globs does; the number of its group is that of the glob."""
    from fnmatch import translate  # not at each cold start

    return re.compile("|".join(f"({translate(glob)})" for glob in globs) or "(?!)")


def _other_names(name: str) -> Iterator[str]:
    """What Python 3 takes for a name of Python 2, and by what name compiled modules are known."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    module, _, rest = name.rpartition(".")
    if (module, rest) in NAME_MAPPING:
        yield ".".join(NAME_MAPPING[module, rest])
    for known in (IMPORT_MAPPING, COMPILED):
        if module in known:
            yield f"{known[module]}.{rest}"
