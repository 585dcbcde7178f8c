"""What both kinds of gunicorn workers begin with: the part of the box that is put up after the fork."""

from typing import Any

from gunicorn.workers.base import Worker

from . import box
from .setup import Setup


class BoxedWorker(Worker):
    """`sockets` is what the arbiter received with the command to fork this worker."""

    sockets: list[Any]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.given: Setup = self.app.given

    def enter_box(self) -> None:
        """To be called first of all; raises BoxError."""
        box.enter_instance(self.ppid, self.given.box)
        box.name_process(f"fn {self.given.label}")
