"""`fnhost console`: the way to the console for who may use the command line."""

import click

from host.cli.options import connected, url_option


@click.command()
@url_option
def console(url: str) -> None:
    """Print a link that opens the console in a browser, signed in.

    The link is good for once and for five minutes, and signs in as the token that the command line has:
    on the host's machine its user's own, elsewhere that of FNHOST_TOKEN.
    """
    with connected(url) as client:
        told = client.ask("POST", "/api/session/code")
    click.echo(f"{client.url}{told['page']}")
