"""What the tests of the command line share."""

import socket
from collections.abc import Iterator

import pytest

from tests.cli.stub_host import StubHost, StubServer


@pytest.fixture
def stub() -> Iterator[StubHost]:
    """A host with prepared answers."""
    with StubServer() as host:
        yield host


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A URL where nobody answers, since the port is taken and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
