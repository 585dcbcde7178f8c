"""What nobody is shown of the messages that pass over MQTT: values at paths, and secrets of functions."""

from conf.models import Config
from conf.secrets import secret_values
from host.observing.records.redaction import Paths
from runtime.worker.masks import Mask, make_byte_keep, make_mask

MOST_SECRETS = 1000
"""Values that are blotted out; of more, those that came first are known no more."""


class Veil:
    """Of `paths` payloads show no value; no secret is shown, nor one of an earlier config."""

    def __init__(self, paths: Paths = ()) -> None:
        self.paths = paths
        self._secrets: dict[str, None] = {}
        self._mask: Mask = str
        self._keep = make_byte_keep(())

    def learn(self, config: Config) -> None:
        """Hide the secrets of this config, too."""
        known = [*self._secrets, *secret_values(config.secrets)]
        self._secrets = dict.fromkeys(known[-MOST_SECRETS:])
        self._mask, self._keep = make_mask(self._secrets), make_byte_keep(self._secrets)

    def text(self, text: str) -> str:
        """It without secrets."""
        return self._mask(text)

    def data(self, data: bytes, is_cut: bool = False) -> bytes:
        """The same for bytes; of what was cut, also without the beginning of a secret at its end."""
        if is_cut:
            data = data[: len(data) - self._keep(data)]
        return self._mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
