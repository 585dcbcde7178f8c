"""`fnhost demo`: everything at once, with nothing to set up."""

import sys

import click


@click.command()
@click.option("--once", is_flag=True, help="End after enough right answers were seen.")
@click.option("--port", type=click.IntRange(0, 65535), help="Web port; another is chosen when it is taken.")
@click.option("--mqtt-port", type=click.IntRange(0, 65535), help="Port of the embedded broker, likewise.")
def demo(once: bool, port: int | None, mqtt_port: int | None) -> None:
    """Run a host, a broker, a fake sensor and the two sample packages."""
    from host.demo import run_demo

    sys.exit(run_demo(once=once, port=port, mqtt_port=mqtt_port))
