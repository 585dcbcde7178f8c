"""What the demo writes: steps, one line for each event and answer, and the lines to try next."""

import shlex
import shutil
import sys
import time
from pathlib import Path

import click

from host.cli.output import printable

POINT = '{"t":188,"h":134}'


def say(text: str) -> None:
    """One line on stdout, at once."""
    click.echo(printable(text))


def show_event(function: str, payload: bytes) -> None:
    """An event on its way to a function."""
    _show_message("in", function, payload, "")


def show_answer(function: str, payload: bytes, verdict: str) -> None:
    """A function's answer, and what is to be thought of it."""
    _show_message("out", function, payload, verdict)


def _show_message(way: str, function: str, payload: bytes, verdict: str) -> None:
    head = f"{time.strftime('%H:%M:%S')} {way:>3}  {function:<9} "
    room = shutil.get_terminal_size().columns - len(head) - len(verdict) - 2
    text = payload.decode(errors="replace").rstrip("\n")
    if len(text) > room:
        text = text[: max(room - 1, 0)] + "…"
    say(f"{head}{text}  {verdict}".rstrip())


def show_next(url: str, mqtt_port: int, source: str) -> None:
    """What a person could do now; `source` is the topic of the function `test`."""
    say("")
    say("Try in another terminal:")
    say(f"  curl -d '{POINT}' {url}/invoke/test")
    say(f"  mosquitto_pub -h 127.0.0.1 -p {mqtt_port} -t {source} -m '{POINT}'")
    say(f"  {_program()} list --url {url}")
    say(f"  {_program()} console --url {url}    (a link to the console)")
    say("Ctrl-C ends the demo.")
    say("")


def _program() -> str:
    """`fnhost` as it can be typed here."""
    if shutil.which("fnhost"):
        return "fnhost"
    beside = Path(sys.executable).with_name("fnhost")
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m host.cli"
