"""Finds the pool that an event is for; the alias is resolved here, at dispatch."""

import asyncio
import unicodedata
from collections.abc import Callable

from runtime.events import Answer, Event, TooLargeError, UnavailableError, UnknownFunctionError
from runtime.pool import Pool
from runtime.worker.frames import MAX_HEAD

MOST_METADATA = MAX_HEAD // 2


class Dispatcher:
    """`routes` maps what a caller may say (`industry`, `industry@2`, `industry@live`) to a pool.

    `resolve` is asked for what no route is known for, so that functions nobody calls need none: it makes the
    pool and its routes, or returns None.
    """

    def __init__(self) -> None:
        self._routes: dict[str, Pool] = {}
        self.resolve: Callable[[str], Pool | None] = lambda target: None

    def dispatch(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        """Hand an event to its pool; raises InvocationError, or the future does."""
        return self.find(target, event).submit(event)

    def find(self, target: str, event: Event) -> Pool:
        """The pool that takes this event; raises InvocationError when there is none."""
        pool = self._routes.get(target) or self._look_up(unicodedata.normalize("NFC", target))
        if pool is None:
            raise UnknownFunctionError(self._explain(target))
        if len(event.body) > pool.spec.max_event:
            limit = pool.spec.max_event
            raise TooLargeError(
                f"{target} takes events of {limit} bytes at most (`max_event` in function.yaml),"
                f" not {len(event.body)}"
            )
        if len(event.metadata()) + 6 * len(event.content_type or "") > MOST_METADATA:
            raise TooLargeError(f"the event's headers and metadata have more than {MOST_METADATA} bytes")
        return pool

    def knows(self, target: str) -> bool:
        """Whether this target leads to a pool, or would if it could be had just now."""
        try:
            return self._look_up(target) is not None
        except UnavailableError:
            return True

    def max_event(self, target: str) -> int | None:
        """Bytes of the largest event that it takes; None where that cannot be had just now."""
        try:
            pool = self._look_up(target)
        except UnavailableError:
            return None
        return pool.spec.max_event if pool is not None else None

    def _look_up(self, target: str) -> Pool | None:
        return self._routes.get(target) or self.resolve(target)

    def route(self, target: str, pool: Pool) -> None:
        """From now on this target means that pool."""
        self._routes[target] = pool

    def forget(self, pool: Pool) -> None:
        """Nothing leads to this pool any more."""
        self._routes = {target: each for target, each in self._routes.items() if each is not pool}

    def _explain(self, target: str) -> str:
        function, _, reference = target.partition("@")
        if reference and self.knows(function):
            return f"{function} has no revision or alias {reference!r}"
        return f"there is no function {function!r}; `fnhost list` shows those there are"
