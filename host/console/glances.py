"""Functions at a glance, as the API lists them, also those that the config names and nobody has deployed."""

import asyncio

from host.console.ground import Ground
from host.web import views

SLICE = 50
AT_REST = ("ready", "hot", "warm", "cold")
"""States of which the temperature says more."""


class Glances:
    """Looks at functions; all methods run on the host's event loop."""

    def __init__(self, ground: Ground) -> None:
        self._functions = ground.watched.catalog.functions
        self._reloader = ground.reloader
        self._why = ground.why

    def names(self) -> list[str]:
        """Of all functions, sorted."""
        return sorted({*self._functions, *self._reloader.functions})

    def take(self, name: str) -> views.View:
        """One of them in brief, with `condition`, a word that says how it is."""
        deployed = self._functions.get(name)
        why = self._why(name)
        view = views.summarize(deployed, why) if deployed else views.summarize_missing(name, why)
        at_rest = view["state"] in AT_REST
        return {**view, "condition": view["temperature"] if at_rest else view["state"]}

    async def take_all(self) -> list[views.View]:
        """All of them; events go on meanwhile."""
        taken = []
        for number, name in enumerate(self.names()):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            taken.append(self.take(name))
        return taken
