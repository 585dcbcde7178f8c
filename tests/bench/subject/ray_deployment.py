"""The measured function as a Ray Serve deployment with one replica."""

import asyncio
import sys

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.bench.subject.index import index


class Threshold:
    """The JSON of a request is the event, and the result is the JSON of the answer."""

    async def __call__(self, request: Request) -> JSONResponse:
        """Run the function, in the replica."""
        return JSONResponse(index(await request.json(), None))


async def serve_until_killed(port: int) -> None:
    """Serve on loopback, until the end of the process."""
    ray.init(include_dashboard=False, log_to_driver=False, _temp_dir=sys.argv[2])
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    # More at a time than the default of 5, as its guide to performance says.
    deployment = serve.deployment(num_replicas=1, max_ongoing_requests=100)(Threshold)
    serve.run(deployment.bind(), route_prefix="/invoke")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve_until_killed(int(sys.argv[1])))
