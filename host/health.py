"""Whether the host can do its work: a list of checks, each with its reason."""

from collections.abc import Callable
from dataclasses import dataclass

from host.deployment.catalog import Catalog


@dataclass(frozen=True)
class Check:
    """One thing looked at; `required` ones decide `/readyz`."""

    name: str
    ok: bool
    detail: str = ""
    required: bool = True


Source = Callable[[], list[Check]]


class Health:
    """Collects checks from those who know; `started` is set once the host is up."""

    def __init__(self) -> None:
        self.started = False
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        """Ask this one, too."""
        self._sources.append(source)

    @property
    def is_ready(self) -> bool:
        """Whether events can be taken."""
        return all(check.ok or not check.required for check in self.checks())

    def checks(self) -> list[Check]:
        """All checks, as they are now."""
        own = Check("host", self.started, "" if self.started else "it is starting or stopping")
        return [own, *(check for source in self._sources for check in source())]


def check_functions(catalog: Catalog) -> list[Check]:
    """A function that fails does not make the others unready; one that is kept hot and still starts does.

    Functions that nobody has called are not listed: a thousand cold ones say nothing.
    """
    checks = []
    for deployed in catalog.functions.values():
        if pool := deployed.live_pool:
            view = pool.view()
            starting = view.state == "starting" and pool.is_kept_hot
            ok = view.state in ("ready", "warm", "cold") or (view.state == "starting" and not starting)
            checks.append(Check(f"function {deployed.name}", ok, view.last_error or view.state, starting))
    return checks
