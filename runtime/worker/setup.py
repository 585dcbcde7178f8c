"""What the host tells an arbiter before it starts, and what all its processes share from then on."""

import logging
import signal
import sys
import time
from typing import Any

from .box_plan import BoxPlan
from .context import Surroundings
from .loggers import LogHandler
from .logs import LogPipe, LogRules, LogStream
from .masks import Secrets, make_keep, make_mask
from .models import Models

STACK_SIGNAL = signal.SIGUSR1
STDERR = 2


class Setup:
    """The first message on the control channel, read into its parts; `log_fd` leads to the function's log."""

    def __init__(self, message: dict[str, Any], log_fd: int = STDERR) -> None:
        self.label: str = message["label"]
        self.handler: str | None = message["handler"]
        self.accepts: str = message["accepts"]
        self.concurrency: int = message["concurrency"]
        self.is_batch: bool = message["batch"] is not None
        self.max_event: int = message["max_event"]
        self.max_result: int = message["max_result"]
        self.json_depth: int = message["json_depth"]
        self.preload: bool = message["preload"]
        self.check_fork: bool = message["check_fork"]
        self.startup_timeout: float = message["startup_timeout"]
        self.memory: int | None = message["memory"]
        self.box = BoxPlan(**message["box"])
        secrets = message["secrets"].values()
        rules = LogRules(message["log_invocation"], make_mask(secrets), make_keep(secrets))
        self.pipe = LogPipe(log_fd, self.concurrency > 1, rules)
        self.around = self._surroundings(message)

    def _surroundings(self, message: dict[str, Any]) -> Surroundings:
        function, _, version = self.label.partition("@")
        return Surroundings(
            function=function,
            version=version,
            package_dir=message["package_dir"],
            python_path=tuple(message["python_path"]),
            output_dir=message["output_dir"],
            memory_mb=(self.memory or 0) // (1024 * 1024),
            env=message["env"],
            secrets=Secrets(message["secrets"]),
            publish=tuple(message["publish"]),
            models=Models(message["package_dir"], message["models"], message["pickles"]),
        )

    def start_deadline(self) -> float:
        """Until when a hook may run, on the monotonic clock."""
        return time.monotonic() + self.startup_timeout

    def capture_output(self) -> None:
        """Send prints and log records of the package to its log."""
        sys.stdout = LogStream(self.pipe, "info")
        sys.stderr = LogStream(self.pipe, "warning")
        logging.basicConfig(handlers=[LogHandler(self.pipe)], level=logging.INFO, force=True)

    def register_stack_dump(self) -> None:
        """Let the host ask where this process is, also when it hangs in a C library."""
        import faulthandler  # which no subinterpreter can import

        faulthandler.enable(STDERR)
        # gunicorn sets its own handler in between, and a second register() alone would not undo that.
        faulthandler.unregister(STACK_SIGNAL)
        faulthandler.register(STACK_SIGNAL, STDERR, all_threads=False)
