"""The group of all verbs: it knows their names, and imports the file of the one that is called."""

import os
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from host.cli.exits import Exit
from host.cli.unforeseen import has_no_folder, tell, wants_traceback
from host.cli.verbs import VERBS, short_helps

NO_FOLDER = "Error: the folder that you are in was deleted or replaced; go to another one, or say `cd .`"


class LazyGroup(click.Group):
    """Shows the verbs in sections without importing any of them."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's; of what nobody foresaw, a sentence instead of a traceback."""
        try:
            return super().main(*args, **extra)
        except Exception as error:
            if has_no_folder(error):
                click.echo(NO_FOLDER, err=True)
                raise SystemExit(Exit.USAGE) from None
            if wants_traceback(os.environ):
                raise
            click.echo(f"Error: {tell(error)}", err=True)
            raise SystemExit(Exit.BUG) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the help."""
        return list(short_helps())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, or None."""
        if cmd_name not in short_helps():
            return None
        from host.cli.examples import epilog_of

        found = vars(import_module(f"host.cli.{cmd_name}")).values()
        # By its own name: `list` would hide Python's.
        command = next(each for each in found if isinstance(each, click.Command) and each.name == cmd_name)
        command.epilog = epilog_of(cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; a verb that is none is told with the nearest ones."""
        known = args[0] in short_helps() or args[0].startswith("-")
        if not known and not ctx.resilient_parsing:
            raise click.UsageError(_unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each thing that a person may want."""
        width = max(map(len, short_helps()))
        for section, verbs in VERBS.items():
            with formatter.section(section):
                formatter.write_dl([(verb.ljust(width), said) for verb, said in verbs.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, and the options."""
        begun = [(verb, said) for verb, said in short_helps().items() if verb.startswith(incomplete)]
        items = [CompletionItem(verb, help=said) for verb, said in begun]
        return items + click.Command.shell_complete(self, ctx, incomplete)


def _unknown(verb: str) -> str:
    from difflib import get_close_matches

    near = " or ".join(f"`{each}`" for each in get_close_matches(verb, short_helps()))
    guess = f"did you mean {near}? " if near else ""
    return f"there is no verb `{verb}`; {guess}`fnhost --help` lists all of them"
