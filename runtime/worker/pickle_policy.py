"""Which imports of pickles are refused, by lists of globs."""

from collections.abc import Iterator
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
        from fnmatch import fnmatchcase  # not at each cold start

        names = {name, *_other_names(name)}
        for glob in self.deny:
            if any(fnmatchcase(each, glob) for each in names):
                return f"`{glob}` under `deny`"
        if " " in name:
            return "that such a name must be told"
        if self.allow and not any(fnmatchcase(each, glob) for each in names for glob in self.allow):
            return "that no line under `allow` names it"
        return None


def _other_names(name: str) -> Iterator[str]:
    """What Python 3 takes for a name of Python 2, and by what name compiled modules are known."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    module, _, rest = name.rpartition(".")
    if (module, rest) in NAME_MAPPING:
        yield ".".join(NAME_MAPPING[module, rest])
    for known in (IMPORT_MAPPING, COMPILED):
        if module in known:
            yield f"{known[module]}.{rest}"
