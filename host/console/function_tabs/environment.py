"""The tab `environment` of a function's page: what a revision runs in, and what confines it."""

from typing import Any

from starlette.requests import Request

from host.console.ground import Ground
from host.console.page import Shown, Tab
from host.deployment.catalog import Catalog
from host.web import views
from host.web.environments import EnvironmentsApi
from host.web.numbers import query_number
from runtime.boxes.walls import WALLS

PLAIN = ("handler", "accepts", "timeout", "startup_timeout", "concurrency", "threads", "queue", "idempotent")
"""Keys of the manifest that are shown as they are, beside those that the rules of the live pool tell."""


def make(ground: Ground) -> Tab:
    """The tab; its script adds what only some may see."""
    tab = EnvironmentTab(
        ground.watched.catalog, EnvironmentsApi(ground.watched.catalog, ground.watched.state)
    )
    return Tab("environment", tab.load)


class EnvironmentTab:
    """Of the revision that is asked for, else of the live one, else of the newest."""

    def __init__(self, catalog: Catalog, environments: EnvironmentsApi) -> None:
        self._catalog = catalog
        self._environments = environments

    async def load(self, request: Request) -> Shown:
        """What the API tells; `box` is known of the live revision only, once it has run."""
        deployed = self._catalog.get(request.path_params["item"])
        number = query_number(request, "revision") or deployed.live or max(deployed.revisions, default=0)
        told = await self._environments.tell(deployed.name, number)
        box = views.describe(deployed, None)["box"] if number == deployed.live else None
        rows = list(_rows(told["manifest"]))
        return {"number": number, "told": told, "box": box, "walls": tuple(WALLS), "rules": rows}


def _rows(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What the manifest says, or what holds where it says nothing."""
    scale, batch = manifest["scale"], manifest["batch"]
    rows = [(key, manifest[key]) for key in PLAIN]
    rows += [(f"scale.{key}", value) for key, value in scale.items()]
    rows += [(f"batch.{key}", value) for key, value in (batch or {}).items()]
    rows += [(key, manifest[key]) for key in ("memory", "network", "processes", "preload")]
    rows += [("models", ", ".join(f"{name}: {file}" for name, file in manifest["models"].items()))]
    rows += [("publish", ", ".join(manifest["publish"])), ("secrets", ", ".join(manifest["secrets"]))]
    return [(key, _text(value)) for key, value in rows]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "–" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)
