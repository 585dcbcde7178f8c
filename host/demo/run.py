"""The demo from the first line to the last."""

import asyncio
from collections.abc import Callable

from host.client.client import Client
from host.client.errors import ClientError
from host.demo.deploy import deploy_sample
from host.demo.faults import DemoError
from host.demo.link import Heard, Link, open_link
from host.demo.records import is_point_right, samples
from host.demo.score import Score
from host.demo.screen import POINT, say, show_next
from host.demo.sensor import Sensor, Shift
from host.demo.stage import Stage, Wanted, set_stage, wait_ready
from host.private.race import race
from host.private.stopping import cancel_on_signals

ANSWERS_LIMIT = 60.0
FORM = "application/x-www-form-urlencoded"  # what curl says of -d
SHOW = Shift(strict=False, pause=1.0)
PROOF = Shift(strict=True, pause=0.02)


def run_demo(*, once: bool, port: int | None, mqtt_port: int | None) -> None:
    """Run until Ctrl-C or SIGTERM; with `once`, until enough right answers were seen.

    A port of None is the usual one; one that is taken is replaced by another. Raises DemoError or
    ChildError; nothing of the demo is left then either.
    """
    asyncio.run(_run(Wanted(once, port, mqtt_port)))


async def _run(wanted: Wanted) -> None:
    score = Score(sample.function for sample in samples())
    cancel_on_signals(lambda: say("Stopping."))
    try:
        async with set_stage(wanted, samples()) as stage:
            await stage.play(_show(stage, score, PROOF if wanted.once else SHOW))
            say(f"Seen: {score.sentence()}.")
    except asyncio.CancelledError:
        if wanted.once:
            raise DemoError(f"stopped before enough was seen: {score.sentence()}") from None


async def _show(stage: Stage, score: Score, shift: Shift) -> None:
    for sample in samples():
        await asyncio.to_thread(deploy_sample, stage.url, sample.function)
    await wait_ready(stage.url)
    topics = [topic for sample in samples() for topic in (sample.source, sample.target)]
    async with open_link(stage.mqtt_port, topics) as link:
        show_next(stage.url, stage.mqtt_port, samples()[1].source)
        await asyncio.to_thread(_ask_over_http, stage.url, score)
        await _exchange(link, score, shift)


def _ask_over_http(url: str, score: Score) -> None:
    try:
        with Client(url) as client:
            reply = client.invoke("test", POINT.encode(), FORM)
    except ClientError as error:
        raise DemoError(f"test was not answered over HTTP: {error}") from None
    say(f"HTTP: test answered {reply.body.decode()} to {POINT}")
    if not is_point_right(POINT.encode(), reply.body):
        raise DemoError(f"test answered {reply.body!r} over HTTP, which is wrong")
    score.http += 1


async def _exchange(link: Link, score: Score, shift: Shift) -> None:
    sensors = [Sensor(sample, link.publish, score) for sample in samples()]
    try:
        async with asyncio.timeout(ANSWERS_LIMIT if shift.strict else None):
            await race(_work(sensors, shift), _listen(link.heard, sensors))
    except TimeoutError:
        raise DemoError(f"after {ANSWERS_LIMIT:g} s too little was seen: {score.sentence()}") from None


async def _work(sensors: list[Sensor], shift: Shift) -> None:
    await asyncio.gather(*(sensor.work(shift) for sensor in sensors))


async def _listen(heard: Heard, sensors: list[Sensor]) -> None:
    ears: dict[str, Callable[[bytes], None]] = {}
    for sensor in sensors:
        ears |= {sensor.sample.source: sensor.hear_event, sensor.sample.target: sensor.hear_answer}
    while True:
        topic, payload = await heard.get()
        ears[topic](payload)
