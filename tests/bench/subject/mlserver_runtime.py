"""The measured function as a runtime of MLServer, which its parallel worker runs."""

from typing import Any

from mlserver import MLModel
from mlserver.handlers import custom_handler

from tests.bench.subject.index import index


class Threshold(MLModel):
    """The JSON of a request is the event, and the result is the JSON of the answer."""

    async def load(self) -> bool:
        """There is nothing to load."""
        return True

    @custom_handler(rest_path="/invoke")
    async def invoke(self, event: dict[str, Any]) -> Any:
        """Run the function."""
        return index(event, None)
