"""`fnhost completion`: what has a shell complete the words of `fnhost`."""

import click

HOW = {
    "bash": 'eval "$(fnhost completion bash)"  # in ~/.bashrc; bash 4.4 or newer',
    "zsh": 'eval "$(fnhost completion zsh)"  # in ~/.zshrc, behind compinit',
    "fish": "fnhost completion fish > ~/.config/fish/completions/fnhost.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(HOW)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what has a shell complete the words of `fnhost`.

    Names of functions are asked of a running host.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    # As the shell itself is not asked for its version: it need not be here.
    source = ShellComplete.source(kind(context.find_root().command, {}, "fnhost", "_FNHOST_COMPLETE"))
    click.echo(f"# {HOW[shell]}\n{source}")
