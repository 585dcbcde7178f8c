"""Heads of requests that were parsed before: the same bytes mean the same, so they are not parsed again.

A device sends its events with the same head, byte for byte. Where a whole request has a known head and
nothing else is under way on its connection, its event is dispatched without a parser, a scope or a task
(`docs/decisions/a-known-head-is-not-parsed-again.md`).
"""

from collections import OrderedDict

from triggers.asgi import Scope
from triggers.http import PREFIX, Caller, HttpTrigger, read_caller
from triggers.http_answers import LARGE

MOST_HEADS = 512
MOST_MET = 4096
LONGEST_HEAD = 4096
"""In bytes: 2 MiB of heads at most."""
_START = b"POST " + PREFIX.encode()
_ODD = {b"transfer-encoding", b"expect", b"upgrade"}


class KnownHeads:
    """What the heads say by which requests to `trigger` may go the short way, the oldest forgotten first."""

    def __init__(self, trigger: HttpTrigger) -> None:
        self.trigger = trigger
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()
        self._met = [0] * MOST_MET

    def find(self, head: bytes) -> Caller | None:
        """What this head says; None: the parser has not seen it, or the limit for bodies has changed."""
        caller = self._callers.get(head)
        return caller if caller is not None and caller.length <= self.trigger.max_body else None

    def learn(self, head: bytes, scope: Scope) -> None:
        """Keep what the parser read a second time in `head`, if that alone says where a request ends."""
        # A head with an id of its own in each request is met once: it costs little, and drives out no other.
        mark = hash(head)
        again, self._met[mark % MOST_MET] = self._met[mark % MOST_MET] == mark, mark
        if not again or not _ends_by_length(head, scope):
            return
        caller = read_caller(scope["path"], scope["query_string"], tuple(scope["headers"]))
        if caller.wish is None and caller.length < LARGE:
            if len(self._callers) >= MOST_HEADS:
                self._callers.popitem(last=False)
            self._callers[head] = caller


def _ends_by_length(head: bytes, scope: Scope) -> bool:
    names = [name for name, _ in scope["headers"]]
    # One line for the request, one for each header, and the empty one: no line ends that only the parser saw.
    lines = head.count(b"\r\n") == len(names) + 2 and head.count(b"\n") == len(names) + 2
    framed = not _ODD & set(names) and names.count(b"content-length") < 2
    return lines and framed and head.startswith(_START) and scope["http_version"] == "1.1"
