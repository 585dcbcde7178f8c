"""The measured function as a BentoML service with one worker."""

from typing import Any

import bentoml
from starlette.responses import JSONResponse

from tests.bench.subject.index import index


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Threshold:
    """The JSON of a request is the event, and the result is the JSON of the answer."""

    @bentoml.api(route="/invoke")
    def invoke(self, event: dict[str, Any], /) -> Any:
        """Run the function; BentoML alone would answer a string as plain text."""
        return JSONResponse(index(event, None))
