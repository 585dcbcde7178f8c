"""`GET /metrics`: the page for Prometheus."""

from prometheus_client.registry import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.observing.metrics.exposition import choose_format, write_page
from host.observing.metrics.registry import ScrapeErrors

PATH = "/metrics"


class MetricsPage:
    """Its one endpoint."""

    def __init__(self, registry: CollectorRegistry, errors: ScrapeErrors) -> None:
        self._registry = registry
        self._errors = errors

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route(PATH, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """All metrics as they are now, in the format that the caller takes."""
        form = choose_format(request.headers.get("accept", ""))
        page = await write_page(self._registry, form, self._errors)
        return Response(page, headers={"content-type": form.content_type})
