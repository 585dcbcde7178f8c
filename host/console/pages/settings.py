"""The settings: the config file as a form, tokens, the audit log, and what host this is."""

from importlib.metadata import version
from typing import Any

from starlette.requests import Request

from host.access.scopes import ADMIN
from host.changes import restart_keys
from host.console.ground import Ground
from host.console.live.source import Source
from host.console.page import Page, Piece, Shown, Tab
from host.reload import Reloader


def make(ground: Ground) -> Piece:
    """The page, and what keeps it live."""
    reloader = ground.reloader

    async def load(request: Request) -> Shown:
        file = reloader.config_path
        state = ground.watched.state.root
        return {"file": str(file) if file else "", "version": version("fnhost"), "state": str(state)}

    tabs = (
        Tab("config", verb=ADMIN, namespaces=("form",)),
        Tab("tokens", verb=ADMIN),
        Tab("audit", verb=ADMIN),
        Tab("about"),
    )
    return Piece((Page("settings", load, tabs=tabs),), (ConfigSource(reloader),))


class ConfigSource(Source):
    """The channel `config`: a number that grows with each config that comes into force."""

    name = "config"

    def __init__(self, reloader: Reloader) -> None:
        self._reloader = reloader
        self._told = reloader.applied
        self._number = 0

    def begin(self, item: str) -> Any:
        """The number as it is, and which keys wait for the host to be started again."""
        self._look()
        waiting = restart_keys(self._reloader.started.config, self._reloader.applied)
        return {"number": self._number, "restart": waiting}

    def tell(self, item: str) -> Any:
        """The same, if another config is in force."""
        return self.begin(item) if self._reloader.applied is not self._told else None

    def _look(self) -> None:
        if self._reloader.applied is not self._told:
            self._told, self._number = self._reloader.applied, self._number + 1
