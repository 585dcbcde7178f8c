"""Answers 100 bytes by 100 bytes on the socket of the number it is given: the least that a hop costs."""

import socket
import sys

SIZE = 100


def main(descriptor: int) -> None:
    """Answer until the other end is closed."""
    with socket.socket(fileno=descriptor) as connected:
        while data := connected.recv(SIZE):
            connected.sendall(data)


if __name__ == "__main__":
    main(int(sys.argv[1]))
