"""`fnhost demo`: everything at once, with nothing to set up."""

from importlib.util import find_spec

import click

from host.cli.exits import CommandError, Exit


@click.command()
@click.option("--once", is_flag=True, help="End after enough right answers were seen.")
@click.option("--port", type=click.IntRange(0, 65535), help="Web port; another is chosen when it is taken.")
@click.option("--mqtt-port", type=click.IntRange(0, 65535), help="Port of the embedded broker, likewise.")
def demo(once: bool, port: int | None, mqtt_port: int | None) -> None:
    """Run a host, a broker, a fake sensor and the two sample packages."""
    if find_spec("amqtt") is None:
        raise CommandError("the demo needs its embedded broker: pip install 'fnhost[demo]'", Exit.USAGE)
    from host.demo.faults import DemoError
    from host.demo.run import run_demo
    from host.private.child import ChildError

    try:
        run_demo(once=once, port=port, mqtt_port=mqtt_port)
    except (ChildError, DemoError) as error:
        raise CommandError(f"{error}; `fnhost doctor` tells what is missing here", Exit.FAILED) from None
