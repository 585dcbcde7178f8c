"""`fnhost describe`: one function with its revisions and instances."""

from typing import Any

import click

from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, print_json, print_table, shown
from host.cli.rules import told_rules

FACTS = ("name", "state", "temperature", "accepts", "queued", "in_flight", "last_error")
REVISION = ("revision", "state", "sha256", "created", "error")
INSTANCE = ("instance", "pid", "state", "since")


@click.command()
@click.argument("name", shell_complete=complete_function)
@output_option
@url_option
def describe(name: str, url: str, output: str) -> None:
    """Show the function NAME: state, revisions, instances."""
    with connected(url) as client:
        function = client.function(name)
    if output == "json":
        print_json(function)
    else:
        _print(function)


def _print(function: dict[str, Any]) -> None:
    facts = {name.replace("_", " "): function.get(name) for name in FACTS}
    facts["instances"] = f"{function.get('instances')} of {function.get('wanted')} wanted"
    facts |= told_rules(function)
    facts |= _told_box(function.get("box") or {})
    facts["aliases"] = _pairs(function.get("aliases")) or None
    facts["counters"] = _pairs(function.get("counters")) or None
    for name, value in facts.items():
        click.echo(f"{name + ':':<12} {shown(value)}")
    if revisions := function.get("revisions"):
        click.echo()
        print_table(REVISION, [_revision(each) for each in revisions])
    if instances := function.get("instances_detail"):
        click.echo()
        print_table(INSTANCE, [_instance(each) for each in instances])


def _told_box(box: dict[str, Any]) -> dict[str, object]:
    missing = box.get("missing") or {}
    told: dict[str, object] = {"box": f"{box['level']} ({', '.join(box['walls'])})"} if box else {}
    return told | (
        {"missing": "; ".join(f"{wall}: {why}" for wall, why in missing.items())} if missing else {}
    )


def _pairs(mapping: dict[str, object] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in (mapping or {}).items())


def _revision(revision: dict[str, Any]) -> list[object]:
    return [
        revision.get("number"),
        revision.get("state"),
        str(revision.get("sha256"))[:12],
        clock(revision["created"]) if revision.get("created") else None,
        revision.get("error"),
    ]


def _instance(instance: dict[str, Any]) -> list[object]:
    since = clock(instance["since"]) if instance.get("since") else None
    return [instance.get("slot"), instance.get("pid"), instance.get("state"), since]
