"""The channels `functions` (all at a glance) and `function:NAME` (one as the API describes it)."""

from itertools import islice
from typing import Any

from host.console.glances import Glances
from host.console.live.source import Source
from host.deployment.catalog import Catalog, UnknownFunctionNameError
from host.web import views

AT_A_TIME = 100
"""Functions that are looked at in one go: of more, each waits for its turn."""


class FunctionsSource(Source):
    """Tells what has changed since it was told last, and all names to those who begin to look."""

    name = "functions"
    every = 2

    def __init__(self, glances: Glances) -> None:
        self._glances = glances
        self._told: dict[str, views.View] = {}
        self._place = 0

    def closed(self, item: str) -> None:
        """Nobody looks any more."""
        self._told.clear()

    def begin(self, item: str) -> Any:
        """What others were told already; the rest comes with the next changes."""
        return {"names": self._glances.names(), "changed": list(self._told.values()), "removed": []}

    def tell(self, item: str) -> Any:
        """Look at the next ones."""
        names = self._glances.names()
        removed = sorted(self._told.keys() - set(names))
        for name in removed:
            del self._told[name]
        changed = [view for name in self._next(names) if (view := self._look(name))]
        return {"changed": changed, "removed": removed} if changed or removed else None

    def _next(self, names: list[str]) -> list[str]:
        begin = self._place if self._place < len(names) else 0
        self._place = begin + AT_A_TIME
        return list(islice(names, begin, self._place))

    def _look(self, name: str) -> views.View | None:
        view = self._glances.take(name)
        if self._told.get(name) == view:
            return None
        self._told[name] = view
        return view


class FunctionSource(Source):
    """Tells all of one function whenever any of it has changed; null once it is gone."""

    name = "function"
    items = True
    every = 2

    def __init__(self, catalog: Catalog, glances: Glances) -> None:
        self._catalog = catalog
        self._glances = glances
        self._told: dict[str, views.View] = {}

    def opened(self, item: str) -> None:
        """Raises KeyError where there is no such function."""
        if item not in self._catalog.functions:
            raise KeyError(item)

    def closed(self, item: str) -> None:
        """Nobody looks any more."""
        self._told.pop(item, None)

    def begin(self, item: str) -> Any:
        """As it is."""
        return {"function": self._look(item)}

    def tell(self, item: str) -> Any:
        """What has changed."""
        view = self._look(item)
        if self._told.get(item) == view:
            return None
        self._told[item] = view
        return {"function": view or None}

    def _look(self, name: str) -> views.View:
        try:
            deployed = self._catalog.get(name)
        except UnknownFunctionNameError:
            return {}
        glance = self._glances.take(name)
        return {**views.describe(deployed, glance["last_error"]), "condition": glance["condition"]}
