"""What gunicorn's arbiter and worker ask of their configuration.

gunicorn's own is 200 settings with a command line of their own: 15 ms to import and build. A test compares
this with it: each setting that the two classes read is here, with the same value unless it is ours to say.
"""

import os
from typing import Any


def _do_nothing(*_: object) -> None:
    """A hook of gunicorn's that nobody set."""


class ArbiterSettings:
    """gunicorn's defaults, and what the host says instead of them (`ours`)."""

    address: tuple[Any, ...] = ()
    daemon = False
    dirty_apps: tuple[str, ...] = ()
    dirty_workers = 0
    enable_backlog_metric = False
    initgroups = False
    max_requests = 0
    pidfile = None
    reload = False
    reuse_port = False
    child_exit = nworkers_changed = on_exit = on_starting = staticmethod(_do_nothing)
    post_fork = post_worker_init = pre_fork = when_ready = staticmethod(_do_nothing)
    worker_abort = worker_exit = worker_int = staticmethod(_do_nothing)

    def __init__(self, **ours: Any) -> None:
        self.env: dict[str, str] = {}
        self.settings: dict[str, Any] = {}
        self.uid, self.gid = os.geteuid(), os.getegid()
        vars(self).update(ours)
