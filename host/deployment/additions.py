"""What the config adds to what revisions say of themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from conf.funcs import Func
from conf.limits import Limits
from conf.models import Config
from conf.secrets import Secret
from runtime.boot import BootError
from runtime.spec import Bounds

MOST_SECRETS = 32 * 1024
"""Bytes of all secrets of one function, as they travel to it in one message."""


@dataclass(frozen=True)
class Additions:
    """What is told of each function by its name, the secrets by theirs, and what holds for all functions."""

    funcs: Mapping[str, Func] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)

    @classmethod
    def of(cls, config: Config) -> "Additions":
        """Those of a config."""
        funcs = {func.model_name: func for func in config.funcs}
        return cls(funcs, config.secrets, read_bounds(config.limits))

    def secrets_of(self, function: str, names: tuple[str, ...]) -> dict[str, str]:
        """The values of the secrets that a function names; raises BootError for one that it cannot have."""
        told = {name: self._secret(function, name) for name in names}
        if (size := len(json.dumps(told))) > MOST_SECRETS:
            raise BootError(f"the secrets of {function} have {size} bytes in all; {MOST_SECRETS} are allowed")
        return told

    def _secret(self, function: str, name: str) -> str:
        if (secret := self.secrets.get(name)) is None:
            raise BootError(
                f"{function} needs the secret {name}, which the host does not have: write it in its config,"
                f" as `secrets: {{{name}: ${{file:/run/secrets/{name}}}}}`, and apply it"
            )
        if secret.functions is not None and function not in secret.functions:
            raise BootError(
                f"{function} names the secret {name}, which it may not have: add it to"
                f" `secrets.{name}.functions` in the host's config"
            )
        return secret.value.get_secret_value()


def read_bounds(limits: Limits) -> Bounds:
    """What the limits of the config say of each function alike."""
    return Bounds(**{each.name: getattr(limits, each.name) for each in fields(Bounds)})
