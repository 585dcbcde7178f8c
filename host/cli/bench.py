"""`fnhost bench`: how many events per second a function takes, and how it fails then."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from host.cli.exits import BY_STATUS, CommandError, Exit
from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import printable

if TYPE_CHECKING:
    from host.client.client import Client
    from host.load.run import Findings
    from host.load.sender import Sender

INTERRUPTED = 130


@dataclass(frozen=True)
class Wish:
    """What was asked for, as the options say it."""

    name: str
    body: str | None
    file: Path | None
    content_type: str | None
    rates: tuple[float, ...]
    seconds: float
    concurrency: int
    limit_p99: float | None
    broker_url: str | None = field(repr=False)
    topic: str | None
    answers: str | None
    yes: bool
    output: str
    url: str

    @property
    def event(self) -> tuple[bytes, str | None]:
        """Body and content type."""
        if self.file is None:
            return (self.body or "{}").encode(
                errors="surrogateescape"
            ), self.content_type or "application/json"
        told = "application/json" if self.file.suffix == ".json" else None
        try:
            return self.file.read_bytes(), self.content_type or told
        except OSError as error:
            raise CommandError(
                f"{self.file} cannot be read ({error.strerror}); name another with --file", Exit.USAGE
            ) from None


def _read_rates(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    try:
        rates = tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        rates = (0.0,)
    if not all(0 < rate <= 1e6 for rate in rates) or list(rates) != sorted(set(rates)):
        raise click.BadParameter("write rising rates in events/s, such as 10,20,50")
    return rates


def _read_seconds(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    from conf.units import parse_duration

    try:
        seconds = None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if seconds is not None and seconds <= 0:
        raise click.BadParameter("write a duration above 0, such as 3s")
    return seconds


@click.command()
@click.argument("name", shell_complete=complete_function)
@click.option("--body", metavar="TEXT", help="The event.  [default: {}]")
@click.option("--file", type=click.Path(path_type=Path), help="A file with the event.")
@click.option("--content-type", help="What the event is.  [default: JSON, unless it comes from another file]")
@click.option(
    "--rates",
    callback=_read_rates,
    metavar="R,R,…",
    help="Events per second to try.  [default: as many as needed to find the knee]",
)
@click.option(
    "--seconds",
    callback=_read_seconds,
    default="3",
    show_default=True,
    metavar="DURATION",
    help="How long each rate is kept up.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=512,
    show_default=True,
    help="HTTP connections at most; the function answers 429 when more than its `queue` wait.",
)
@click.option(
    "--limit-p99",
    callback=_read_seconds,
    metavar="DURATION",
    help="When answers are late.  [default: 10 x the median of one event at a time, at least 100 ms]",
)
@click.option(
    "--broker-url",
    envvar="FNHOST_BROKER_URL",
    metavar="URL",
    help="Over MQTT: mqtt://USER:${env:PASSWORD}@HOST; ${env:…} and ${file:…} are looked up here.",
)
@click.option("--topic", help="Over MQTT: publish here, on the source topic of one of the function's rules.")
@click.option("--answers", help="Over MQTT: the response topic.  [default: one of its own]")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
@url_option
def bench(**asked: Any) -> None:
    """Find out how many events per second the function NAME takes.

    Events are sent at a fixed rate whether or not answers come, at rising rates until the function does not
    keep up: under 95 % of the rate answered, over 1 % failed, or answers come late (p99 over its limit).
    They are real events and run beside those of production; each carries `x-fnhost-bench: 1`. Ctrl-C prints
    what is known so far.
    """
    wish = Wish(**asked)
    _check(wish)
    with connected(wish.url, refused=Exit.FAILED) as client:
        client.function(_function(wish))
        sender, way = _sender(wish, client)
        _ask(wish, way)
        findings, interrupted = _run(wish, sender, client)
    from host.cli.load_report import Asked, print_findings

    print_findings(findings, Asked(wish.name, way, wish.seconds), wish.output)
    if interrupted:
        raise SystemExit(INTERRUPTED)
    if findings.steps and not any(each.held for each in findings.steps):
        raise CommandError(
            f"{wish.name} held no rate that was tried; try lower ones with --rates", Exit.FAILED
        )


def _check(wish: Wish) -> None:
    if wish.body is not None and wish.file is not None:
        raise CommandError("--body and --file both give the event; choose one", Exit.USAGE)
    if wish.topic is None and wish.answers is not None:
        raise CommandError(
            "--answers goes with --topic and --broker-url: add both, or leave it away", Exit.USAGE
        )
    if wish.topic is not None and wish.broker_url is None:
        raise CommandError(
            "--topic goes with --broker-url, or FNHOST_BROKER_URL: where to publish", Exit.USAGE
        )
    if not wish.yes and not sys.stdin.isatty():
        raise CommandError(
            f"nobody is there to ask whether {wish.name} may get this load; add --yes", Exit.USAGE
        )


def _function(wish: Wish) -> str:
    """The function's name, without revision or alias."""
    return wish.name.partition("@")[0]


def _ask(wish: Wish, way: str) -> None:
    body, _ = wish.event
    rates = f"{', '.join(f'{rate:g}' for rate in wish.rates)}/s" if wish.rates else "rising rates"
    said = f"bench sends events of {len(body)} bytes to {way}, at {rates}, {wish.seconds:g} s each"
    click.echo(f"{said}: real events, which do all that {wish.name} does.", err=True)
    if not wish.yes:
        click.confirm("Go on?", abort=True, err=True)


def _sender(wish: Wish, client: "Client") -> "tuple[Sender, str]":
    """What sends the events, and where to in words."""
    if wish.topic is not None:
        return _mqtt_sender(wish, wish.topic)
    from host.load.http import HttpSender, place_of

    place = place_of(client.url, wish.name, wish.event, client.authorization)
    where = f"{wish.url.rstrip('/')}/invoke/{wish.name}"
    return HttpSender(place, wish.concurrency), where


def _mqtt_sender(wish: Wish, topic: str) -> "tuple[Sender, str]":
    from conf.references import References
    from conf.topics import is_publishable
    from host.load.mqtt import Line, MqttSender
    from runtime.events import new_id
    from triggers.mqtt.url import parse_url

    references = References(Path.cwd(), os.environ)
    url = str(references.resolve(wish.broker_url))
    answers = wish.answers or f"fnhost/bench/{new_id()}"
    for each in (topic, answers):
        if not is_publishable(each):
            raise CommandError(f"{each!r} is no topic to publish to: it has no +, # or leading $", Exit.USAGE)
    if references.faults:
        raise CommandError(f"--broker-url: {references.faults[0].message}", Exit.USAGE)
    try:
        host, port = parse_url(url).place
    except ValueError as error:
        raise CommandError(f"--broker-url: {error}", Exit.USAGE) from None
    return MqttSender(Line(url, topic, answers, _function(wish)), wish.event), f"{topic} at {host}:{port}"


def _run(wish: Wish, sender: "Sender", client: "Client") -> "tuple[Findings, bool]":
    """What was found, and whether somebody had enough of it."""
    import asyncio

    import uvloop

    from host.cli.load_bars import open_bars
    from host.client.errors import ClientError
    from host.load.run import Findings, Load, Plan
    from host.load.sender import NoAnswerError, SenderError

    async def count() -> int | None:
        try:
            shown = (await asyncio.to_thread(client.function, _function(wish))).get("instances")
        except ClientError:
            return None  # it has other things to do
        return shown if isinstance(shown, int) else None

    findings = Findings()
    plan = Plan(wish.rates, wish.seconds, wish.limit_p99)
    try:
        with open_bars(wish.seconds) as bars, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Load(sender, plan, count, bars).run(findings))
    except KeyboardInterrupt:
        return findings, True
    except SenderError as error:
        raise CommandError(printable(str(error)), Exit.UNREACHABLE) from None
    except NoAnswerError as error:
        status = int(error.wrong) if error.wrong.isdecimal() else 0
        said = f"{wish.name} does not answer the first event, so nothing was measured: {error}"
        raise CommandError(printable(said), BY_STATUS.get(status, Exit.FAILED)) from None
    return findings, False
