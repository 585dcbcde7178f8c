"""`fnhost invoke`: one event for a function, and its answer."""

import sys
from pathlib import Path

import click

from host.cli.exits import CommandError, Exit
from host.cli.names import complete_function
from host.cli.options import connected, url_option
from host.cli.waiting import waiting


@click.command()
@click.argument("target", shell_complete=complete_function)
@click.option("-d", "--data", help="The event: text, @FILE, or @- for stdin, which is also the default.")
@click.option("--content-type", help="What the event is; without it JSON is tried, then text.")
@click.option(
    "--async", "later", is_flag=True, help="Leave the event with the host, and print where to look."
)
@click.option("--callback", metavar="URL", help="With --async: where the host posts the result.")
@url_option
def invoke(
    target: str, data: str | None, content_type: str | None, later: bool, callback: str | None, url: str
) -> None:
    """Send an event to TARGET, and print the answer.

    TARGET is a function, a revision (industry@2) or an alias (industry@live).
    """
    if callback and not later:
        raise CommandError("--callback goes with --async; without it the answer is printed here", Exit.USAGE)
    body = _event(data)
    with connected(url, refused=Exit.FAILED) as client:
        if later:
            left = client.invoke_async(target, body, content_type, callback)
            click.echo(client.url + str(left["location"]))
            return
        with waiting(f"waiting for {target}"):
            reply = client.invoke(target, body, content_type)
    _print(reply.body)
    if reply.status >= 400:
        name = target.partition("@")[0]
        raise CommandError(
            f"{target} answered with HTTP {reply.status}; `fnhost logs {name}` may say why", Exit.FAILED
        )


def _event(data: str | None) -> bytes:
    if data == "@-" or (data is None and not sys.stdin.isatty()):
        return sys.stdin.buffer.read()
    if data is not None and data.startswith("@"):
        return _read(Path(data[1:]))
    return (data or "").encode(errors="surrogateescape")  # the very bytes of the command line


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read ({error.strerror}); name another: -d @FILE", Exit.USAGE
        ) from None


def _print(body: bytes) -> None:
    """The answer's bytes as they are; only a person's prompt gets a line of its own."""
    click.echo(body, nl=sys.stdout.isatty() and bool(body) and not body.endswith(b"\n"))
