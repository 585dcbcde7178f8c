"""`fnhost status`: whether a host runs, and how it is."""

import os
import time
from typing import Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, printable, zoned_clock


@click.command()
@output_option
@url_option
def status(url: str, output: str) -> None:
    """Tell whether a host runs, where it listens, and what is the matter with it.

    The exit code is 0 for a host that is ready, 3 where none answers, and 6 for one that is not ready.
    """
    from host.client.history import read_object

    try:
        with connected(url) as client:
            told = read_object(client, "/api/status", {})
    except CommandError as error:
        if error.exit_code == Exit.UNREACHABLE:
            raise CommandError("\n".join([error.message, *_found_instead()]), Exit.UNREACHABLE) from None
        raise
    if output == "json":
        print_json(told)
    else:
        _print(told)
    if not told.get("ready"):
        raise SystemExit(Exit.UNAVAILABLE)


def _found_instead() -> list[str]:
    from pathlib import Path

    from conf.settings import default_state_dir
    from host.neighbours import hints

    state = os.environ.get("FNHOST_STATE")
    return hints(Path(state).expanduser() if state else default_state_dir(os.environ), os.environ)


def _print(told: dict[str, Any]) -> None:
    is_ready = "is ready" if told.get("ready") else "is not ready"
    facts = {
        "address": ", ".join(told.get("addresses", [])),
        "process": _process(told),
        "state": _folder(told.get("state", {})),
        "config": told.get("config") or "none",
        "functions": _functions(told.get("functions", {})),
        "memory": _of(told.get("memory", {}), "used", "budget"),
        "brokers": ", ".join(map(_broker, told.get("brokers", []))) or "none",
        "waiting": _waiting(told.get("waiting", {})),
    }
    click.echo(f"fnhost {told.get('version')} {is_ready}")
    for name, fact in facts.items():
        click.echo(f"{name + ':':<12}{printable(fact)}")
    failing = [check for check in told.get("checks", []) if not check.get("ok")]
    for check in failing:
        weight = "not ready" if check.get("required") else "to look at"
        click.echo(printable(f"{weight}: {check.get('name')}: {check.get('detail')}; {check.get('remedy')}"))


def _process(told: dict[str, Any]) -> str:
    from conf.quantities import say_duration

    since = float(told.get("since", 0.0))
    lived = max(1, round(time.time() - since))
    step = next(each for each in (86400, 3600, 60, 1) if lived >= 2 * each or each == 1)
    for_so_long = say_duration(lived // step * step)
    return f"{told.get('pid')} of {told.get('user')}, since {zoned_clock(since)} ({for_so_long})"


def _folder(state: dict[str, Any]) -> str:
    sizes = "its size is being measured" if state.get("used") is None else _of(state, "used", "most")
    return f"{state.get('path')} ({sizes})"


def _of(sizes: dict[str, Any], used: str, most: str) -> str:
    from conf.quantities import say_size

    return f"{say_size(sizes.get(used) or 0)} of {say_size(sizes.get(most) or 0)}"


def _functions(told: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted((told.get("states") or {}).items()))
    return f"{told.get('total')}{f' ({states})' if states else ''}, {told.get('instances')} instances"


def _broker(each: dict[str, Any]) -> str:
    return f"{each.get('broker')} ({each.get('connected')} of {each.get('connections')} connections stand)"


def _waiting(told: dict[str, Any]) -> str:
    return (
        f"{told.get('events')} events, {told.get('results')} results; {told.get('dead_letters')} dead letters"
    )
