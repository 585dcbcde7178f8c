"""The measured function as functions-framework takes it."""

import json
from typing import Any

from tests.bench.subject.index import index


def invoke(request: Any) -> tuple[str, int, dict[str, str]]:
    """Run the function; `request` is flask's."""
    return json.dumps(index(request.get_json(), None)), 200, {"content-type": "application/json"}
