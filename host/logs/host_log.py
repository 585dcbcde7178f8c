"""The host's own log: where it goes, in which form, and what is kept out of it."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TextIO

from conf.models import Config
from conf.observing import Log
from conf.secrets import secret_values
from conf.settings import Settings
from host.logs.flood import WINDOW, Flood
from host.logs.forms import Form, JsonForm, TextForm
from runtime.steadily import steadily
from runtime.worker.masks import make_mask

CHATTY = {"uvicorn": logging.ERROR, "httpx": logging.WARNING}
"""They would log each request, and each that is no HTTP."""


class HostLog:
    """Takes what this process logs, from `open` until `close`."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = logging.StreamHandler(stream or sys.stderr)
        self._flood = Flood(clock)
        self._handler.addFilter(self._flood)
        self._level = logging.WARNING

    def open(self, log: Log, config: Config | None = None) -> None:
        """Write from now on, in the form that `log` says, and without the secrets of `config`."""
        root = logging.getLogger()
        self._level = root.level
        self._change(log, config)
        root.addHandler(self._handler)
        logging.captureWarnings(True)
        for chatty, level in CHATTY.items():
            logging.getLogger(chatty).setLevel(level)

    def _change(self, log: Log, config: Config | None) -> None:
        form = choose_form(log, self._handler.stream, os.environ)
        form.mask = make_mask(secret_values(config))
        self._handler.setFormatter(form)
        logging.getLogger().setLevel(log.level.upper())

    def follow(self, settings: Settings) -> None:
        """Go over to what these settings say."""
        self._change(settings.log, settings.config)

    async def keep_telling(self) -> None:
        """Say now and then what was held back, until cancelled."""
        await steadily("the host's log", self._tell_some, WINDOW)

    async def _tell_some(self) -> None:
        self.tell()

    def tell(self, whole: bool = False) -> None:
        """Say what was held back; with `whole` also what is still going on."""
        for record in self._flood.take(whole):
            with self._handler.lock or nullcontext():
                self._handler.emit(record)

    def close(self) -> None:
        """Write no more."""
        self.tell(whole=True)
        logging.captureWarnings(False)
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)


def choose_form(log: Log, stream: TextIO, env: Mapping[str, str]) -> Form:
    """The form that the config asks for; colour on terminals only (https://no-color.org)."""
    is_terminal = stream.isatty()
    if log.form == "json" or (log.form == "auto" and not is_terminal):
        return JsonForm()
    return TextForm(is_terminal and not env.get("NO_COLOR") and env.get("TERM") != "dumb")
