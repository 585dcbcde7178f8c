"""Heads of requests that were parsed before: the same bytes mean the same, so they are not parsed again.

A device sends its events with the same head, byte for byte. Where a whole request has a known head and
nothing else is under way on its connection, its event is dispatched without a parser, a scope or a task
(`docs/decisions/a-known-head-is-not-parsed-again.md`).
"""

from collections.abc import Callable

from triggers.asgi import Scope
from triggers.http import PREFIX, Caller, HttpTrigger, read_caller
from triggers.http_answers import LARGE

MOST_BYTES = 4 * 1024 * 1024
"""For all that is kept: each head, what it says, and the objects around them."""
MOST_MET = 4096
LONGEST_HEAD = 4096
"""In bytes."""
OBJECTS = 640
"""Bytes beside those of a head and its metadata (measured with tracemalloc: about 600)."""
_START = b"POST " + PREFIX.encode()
_ODD = {b"transfer-encoding", b"expect", b"upgrade"}


Passes = Callable[[Scope], bool]
"""Whether every request with this head may pass, and is answered as one that went the long way."""


class KnownHeads:
    """What the heads say by which requests to `trigger` may go the short way; those in use stay.

    They are kept in two generations. One that is used moves to the young one; when that has grown to half of
    `MOST_BYTES` it becomes the old one, and what nobody used since the last time is forgotten.
    """

    def __init__(self, trigger: HttpTrigger, passes: Passes) -> None:
        self.trigger = trigger
        self._passes = passes
        self._young: dict[bytes, Caller] = {}
        self._old: dict[bytes, Caller] = {}
        self._young_size = self._old_size = 0
        self._met = [0] * MOST_MET

    @property
    def size(self) -> int:
        """In bytes."""
        return self._young_size + self._old_size

    def find(self, head: bytes) -> Caller | None:
        """What this head says; None: the parser has not seen it, or the limit for bodies has changed."""
        caller = self._young.get(head)
        if caller is None:
            caller = self._old.pop(head, None)
            if caller is None:
                return None
            self._old_size -= cost_of(head, caller)
            self._keep(head, caller)
        return caller if caller.length <= self.trigger.max_body else None

    def learn(self, head: bytes, scope: Scope) -> None:
        """Keep what the parser read a second time in `head`, if that alone says where a request ends."""
        # A head with an id of its own in each request is met once: it costs little, and drives out no other.
        mark = hash(head)
        again, self._met[mark % MOST_MET] = self._met[mark % MOST_MET] == mark, mark
        if not again or head in self._young or not (_is_read_from(head, scope) and _ends_by_length(scope)):
            return
        if not self._passes(scope):
            return
        caller = read_caller(scope["path"], scope["query_string"], tuple(scope["headers"]))
        if caller.wish is None and caller.length < LARGE:
            self._keep(head, caller)

    def forget(self) -> None:
        """Have the parser read all of them again: what `passes` says has changed."""
        self._young, self._old = {}, {}
        self._young_size = self._old_size = 0

    def _keep(self, head: bytes, caller: Caller) -> None:
        cost = cost_of(head, caller)
        if self._young_size + cost > MOST_BYTES // 2:
            self._old, self._young = self._young, {}
            self._old_size, self._young_size = self._young_size, 0
        self._young[head] = caller
        self._young_size += cost


def cost_of(head: bytes, caller: Caller) -> int:
    """What it takes to keep one head, in bytes."""
    return OBJECTS + len(head) + len(caller.metadata)


def _is_read_from(head: bytes, scope: Scope) -> bool:
    # Line by line, so that nothing the parser read in other bytes can ever be taken for what these say.
    if not head.startswith(_START):
        return False
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    if first != b"%b %b HTTP/%b" % (scope["method"].encode(), target, scope["http_version"].encode()):
        return False
    return [_split(line) for line in lines] == [
        (name, value.strip(b" \t")) for name, value in scope["headers"]
    ]


def _split(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip(b" \t")


def _ends_by_length(scope: Scope) -> bool:
    names = [name for name, _ in scope["headers"]]
    framed = not _ODD & set(names) and names.count(b"content-length") < 2
    return framed and scope["http_version"] == "1.1"
