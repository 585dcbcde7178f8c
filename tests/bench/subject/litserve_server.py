"""The measured function in LitServe: one API server and one inference worker, each a process."""

import sys
from typing import Any

import litserve
from fastapi import Request

from tests.bench.subject.index import index


class Threshold(litserve.LitAPI):
    """The JSON of a request is the event, and the result is the JSON of the answer."""

    def setup(self, device: str) -> None:
        """There is nothing to load."""

    def decode_request(self, request: Request) -> Any:
        """The event: LitServe hands over the JSON of a request that is annotated so."""
        return request

    def predict(self, x: Any) -> Any:
        """Run the function, in the inference worker."""
        return index(x, None)

    def encode_response(self, output: Any) -> Any:
        """The result."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Threshold(), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
