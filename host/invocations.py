"""Gives asynchronous invocations their place in the host: taken in, worked off, forgotten."""

import asyncio
from dataclasses import dataclass

from conf.models import Config
from host.lifecycle import Part
from host.retries import make_retries
from runtime.dispatch.dispatcher import Dispatcher
from runtime.events import Dispatch
from triggers.delivery.retry import RetryPolicy
from triggers.invocations.acceptance import LANES, Acceptance, AcceptanceParts
from triggers.invocations.attempts import Attempts
from triggers.invocations.callbacks import Callbacks
from triggers.invocations.expiry import forget_expired, steady_clock
from triggers.invocations.ledger import Ledger, LedgerParts
from triggers.invocations.runner import Runner, RunnerParts
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore


@dataclass(frozen=True)
class InvocationGrounds:
    """What asynchronous invocations build on; `dispatch` is the one with rate limits."""

    store: DeliveryStore
    failpoints: Failpoints
    dispatcher: Dispatcher
    dispatch: Dispatch


async def awaited_targets(store: DeliveryStore) -> set[str]:
    """What asynchronous events on disk wait for: functions, and revisions such as `industry@2`."""
    lanes, _ = await store.waiting()
    return {lane.removeprefix(LANES) for lane in lanes if lane.startswith(LANES)}


class InvocationsPart(Part):
    """Starts after the functions and stops before them."""

    name = "asynchronous invocations"
    priority = 450

    def __init__(self, config: Config, grounds: InvocationGrounds) -> None:
        self._config = config
        self._store = store = grounds.store
        self._steady = steady_clock()
        age, failpoints = config.limits.result_age, grounds.failpoints
        knows, hosts = grounds.dispatcher.knows, frozenset(config.callback_hosts)
        attempts = Attempts(grounds.dispatch, store)
        self._callbacks = Callbacks(store, attempts, hosts)
        self.ledger = Ledger(
            LedgerParts(store, failpoints, attempts, self._callbacks.begin, age, self._steady)
        )
        self._runner = Runner(RunnerParts(store, failpoints, attempts, self.ledger, self._policy, knows))
        self.wake, self.lanes = self._runner.wake, self._runner.lanes
        self.posted = self._callbacks.posted
        self.accept = Acceptance(
            AcceptanceParts(store, failpoints, grounds.dispatcher.find, self._runner.take_up, hosts)
        ).accept
        self._expiry: asyncio.Task[None] | None = None

    def _policy(self, target: str) -> RetryPolicy:
        function = target.partition("@")[0]
        return make_retries((function,), None, {each.model_name: each for each in self._config.funcs})[0]

    async def start(self) -> None:
        """Take up what was left."""
        self._runner.start()
        await self._callbacks.start()
        self._expiry = asyncio.create_task(forget_expired(self._store, self._steady))

    async def stop(self) -> None:
        """Begin nothing more, and write down what became of what runs."""
        if self._expiry is not None:
            self._expiry.cancel()
            await asyncio.gather(self._expiry, return_exceptions=True)
        await self._runner.stop()
        await self._callbacks.stop()
