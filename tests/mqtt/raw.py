"""A broker that knows its answers by heart, for what no real one says on demand."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """The address of a broker that has an answer for each of the first things that a client sends."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        # A client may hang up at any moment.
        with connection, suppress(OSError):
            for answer in answers:
                if not connection.recv(4096):
                    return
                connection.sendall(answer)
            while connection.recv(4096):
                pass

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
