"""Serves a folder to its author: deploys it, watches it, deploys it again, and shows what happens."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from host.authoring.faults import AuthoringError, RefusedPackageError
from host.authoring.private_host import Order, PrivateHost, open_host
from host.authoring.samples import Sample, find_samples, read_sample
from host.authoring.saves import Saves
from host.authoring.screen import say, show, show_ready, show_record
from host.client.errors import ClientError, RefusedError
from host.private.race import race
from host.private.stopping import cancel_on_signals

HEARD_LIMIT = 5.0


@dataclass(frozen=True)
class DevOrder:
    """A package's folder, the port (0 is any), the sample to send after each deploy, and when to end.

    With `once` it is deployed and sent one sample, the first one where none is named.
    """

    folder: Path
    port: int = 0
    event: Path | None = None
    once: bool = False


def run_dev(order: DevOrder) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises AuthoringError and ChildError; nothing is left then either.

    With `once`, also RefusedPackageError where the package is refused, and ClientError where it fails.
    """
    # Where this is the folder that the person is in, "." is gone once that is replaced.
    whole = replace(order, folder=order.folder.absolute(), event=order.event and order.event.absolute())
    asyncio.run(_run(whole))


async def _run(order: DevOrder) -> None:
    cancel_on_signals(lambda: say("\nStopping."))
    try:
        heard = Heard()
        async with open_host(Order(order.folder, order.port, heard.note)) as host:
            saves = Saves(order.folder)
            session = Session(order, host, Ears(heard, saves))
            scene = session.once() if order.once else session.go_on()
            await race(scene, saves.watch(), host.child.watch())
    except asyncio.CancelledError:
        if order.once:
            raise AuthoringError("stopped before there was an answer") from None


class Heard:
    """Shows what the host tells, and knows whether a run was among it."""

    def __init__(self) -> None:
        self.runs = asyncio.Semaphore(0)

    def note(self, record: dict[str, Any]) -> None:
        """One record."""
        show_record(record)
        if record["kind"] == "run":
            self.runs.release()


@dataclass(frozen=True)
class Ears:
    """What a session listens to."""

    heard: Heard
    saves: Saves


class Session:
    """One author's function while it is worked on."""

    def __init__(self, order: DevOrder, host: PrivateHost, ears: Ears) -> None:
        self._order = order
        self._host = host
        self._heard = ears.heard
        self._saves = ears.saves
        self._live: str | None = None
        self._is_refused = False

    async def once(self) -> None:
        """One deploy and one event."""
        sample = self._sample()
        await self._deploy()
        show_ready(self._host.target, sample)
        if sample is None:
            raise AuthoringError(f"{self._order.folder} has no samples/*.json to send; name one with --event")
        failed: RefusedError | None = None
        try:
            await self._host.invoke(sample)
        except RefusedError as error:
            failed = error
        try:
            await asyncio.wait_for(self._heard.runs.acquire(), HEARD_LIMIT)
        except TimeoutError:
            if failed is not None:
                raise failed from None
        if failed is not None:
            raise ClientError(f"{sample.path} is answered with the failure above")

    async def go_on(self) -> None:
        """Deploy now and after each save."""
        while True:
            before = self._live
            if await self._take_over():
                if before is None:
                    show_ready(self._host.target, self._sample_or_none())
                await self._send_wanted()
            await self._saves.next()

    async def _take_over(self) -> bool:
        """Whether another revision is live than before; a package that is refused changes nothing."""
        try:
            return await self._deploy()
        except RefusedPackageError as error:
            self._is_refused = True
            show("fail", str(error))
            stays = f"{self._live} goes on until a save mends it" if self._live else "save it mended"
            show("note", f"not deployed; {stays}")
        except ClientError as error:
            show("fail", str(error))
        return False

    async def _send_wanted(self) -> None:
        if self._order.event is not None and (sample := self._sample_or_none()):
            await self._send(sample)

    def _sample_or_none(self) -> Sample | None:
        try:
            return self._sample()
        except AuthoringError as error:
            show("fail", str(error))
            return None

    async def _send(self, sample: Sample) -> None:
        try:
            await self._host.invoke(sample)
        except RefusedError:
            pass  # the host has told of it
        except ClientError as error:
            show("fail", str(error))

    async def _deploy(self) -> bool:
        """Whether another revision is live than before."""
        done = await self._host.deploy(self._order.folder, self._tell)
        was_refused, self._is_refused = self._is_refused, False
        if done["unchanged"] and self._live is not None:
            if was_refused:
                say(f"{self._live} is what is saved again")
            return False
        self._live = f"{done['function']}@{done['revision']}"
        say(f"{self._live} is live after {done['seconds']:.1f} s at {self._host.target}")
        return True

    def _tell(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "note":
                show("note", str(message.get("line")))
            case "step" if message.get("step") == "environment" and "(no " not in str(message.get("message")):
                show("note", str(message.get("message")))

    def _sample(self) -> Sample | None:
        paths = [self._order.event] if self._order.event else list(find_samples(self._order.folder))
        return read_sample(paths[0]) if paths else None
