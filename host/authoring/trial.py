"""Sends the samples of a package through a private host, and judges what comes back."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.errors import PackageError
from functions.package import open_package
from host.authoring.difference import difference
from host.authoring.faults import AuthoringError, RefusedPackageError
from host.authoring.frames import own_frames
from host.authoring.private_host import Order, PrivateHost, open_host
from host.authoring.records import Record
from host.authoring.samples import Sample, check_writable, read_samples, why_unwritable
from host.client.client import Reply
from host.client.errors import ClientError, RefusedError
from host.private.race import race
from host.private.stopping import cancel_on_signals

NO_SAMPLES = "has no samples/*.json; write one, such as samples/first.json with an event"
MOST_SHOWN = 60
JSON_TYPES = ("application/json", "+json")


@dataclass(frozen=True)
class Verdict:
    """What became of a sample: the lines say why it is not as it should be, none where it is.

    `answer` is as in `Sample.expected`; where `failed`, there is none.
    """

    sample: Sample
    lines: list[str] = field(default_factory=list)
    answer: Any = None
    failed: bool = False


@dataclass(frozen=True)
class Trial:
    """A zip or folder, who hears each verdict and each line that a deploy tells, and a share for numbers.

    `approx` holds for samples that do not say it.
    """

    package: Path
    judged: Callable[[Verdict], None]
    tell: Callable[[Record], None]
    approx: float = 0.0


def run_trial(trial: Trial) -> None:
    """Send each sample. Raises AuthoringError, ClientError and ChildError; nothing of the host is left then.

    RefusedPackageError is raised for what a host would refuse, too.
    """
    with TemporaryDirectory(prefix="fnhost-") as folder:
        samples = read_samples(_unpacked(trial.package, Path(folder) / "package"))
        if not samples:
            raise AuthoringError(f"{trial.package} {NO_SAMPLES}")
        asyncio.run(_run(trial, samples))


def _unpacked(package: Path, target: Path) -> Path:
    if package.is_dir():
        return package
    try:
        return open_package(package, target).root
    except PackageError as error:
        raise RefusedPackageError(str(error)) from None


async def _run(trial: Trial, samples: list[Sample]) -> None:
    cancel_on_signals(lambda: None)
    try:
        async with open_host(Order(trial.package, 0, lambda record: None)) as host:
            await race(_try_all(trial, host, samples), host.child.watch())
    except asyncio.CancelledError:
        raise AuthoringError("stopped before all samples were tried") from None


async def _try_all(trial: Trial, host: PrivateHost, samples: list[Sample]) -> None:
    await host.deploy(trial.package, trial.tell)
    for sample in samples:
        trial.judged(await _try(host, sample, trial.approx))


async def _try(host: PrivateHost, sample: Sample, approx: float) -> Verdict:
    try:
        reply = await host.invoke(sample)
    except RefusedError as error:
        stack = own_frames(error.problem.get("stackTrace") or [], host.shown)
        return Verdict(sample, [str(error), *stack], failed=True)
    except ClientError as error:
        return Verdict(sample, [str(error)], failed=True)
    try:
        answer = answer_of(reply)
        lines = difference(sample.expected, answer, sample.approx or approx) if sample.says_answer else []
    except (ValueError, RecursionError) as error:
        return Verdict(sample, [_unreadable(reply, error)], failed=True)
    if sample.says_answer:
        return Verdict(sample, lines, answer)
    if reply.status >= 400:
        return Verdict(sample, [f"it answered with HTTP {reply.status}"], answer, failed=True)
    return Verdict(sample, answer=answer)


def _unreadable(reply: Reply, error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        body = reply.body[:MOST_SHOWN].decode("utf-8", "replace")
        what = f"what it answers begins with {body!r}" if body else "its answer is empty"
        return f"it says it is JSON ({reply.content_type}) and is not: {what}"
    return f"its answer {why_unwritable(error)}"


def answer_of(reply: Reply) -> Any:
    """What a sample's `expect` would say: JSON's value, else text, else `{"base64": ...}`; None for none.

    Raises ValueError or RecursionError for JSON that is none, or more than a sample can say.
    """
    if reply.status == 204 and not reply.body:
        return None
    if reply.content_type.partition(";")[0].strip().endswith(JSON_TYPES):
        answer = json.loads(reply.body)
        check_writable(answer)
        return answer
    try:
        return reply.body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(reply.body).decode()}
