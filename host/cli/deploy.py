"""`fnhost deploy`: a package becomes a function."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from host.cli.exits import BY_STATUS, CommandError, Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, printable
from host.cli.progress import Progress, open_progress
from host.cli.waiting import waiting
from host.private.tidying import tidying_up


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="The function's name.  [default: the manifest's, else that of PATH]")
@output_option
@url_option
@tidying_up()
def deploy(path: Path, name: str | None, url: str, output: str) -> None:
    """Deploy PATH, a zip or a folder. What runs already goes on until the new revision answers."""
    names = {"name": name} if name else {"default_name": _default_name(path)}
    with (
        _zipped(path) as package,
        connected(url, refused=Exit.REFUSED) as client,
        open_progress() as progress,
    ):
        done = _follow(client.deploy(package, names, progress.sent), progress)
    if output == "json":
        print_json(done)
    else:
        click.echo(_sentence(done))


def _default_name(path: Path) -> str:
    whole = path.resolve()
    return whole.name if whole.is_dir() else whole.stem


@contextmanager
def _zipped(path: Path) -> Iterator[Path]:
    """`path` itself when it is a file, else a zip of the folder for as long as it is needed."""
    if path.is_file():
        yield path
        return
    from tempfile import TemporaryDirectory

    from functions.errors import PackageError
    from functions.package import pack_folder
    from host.full_disk import is_out_of_room, tell_full_temporary

    with TemporaryDirectory(prefix="fnhost-") as folder:
        package = Path(folder) / "package.zip"
        try:
            with waiting(f"packing {path}"):
                pack_folder(path.resolve(), package)
        except PackageError as error:
            raise CommandError(str(error), Exit.REFUSED) from None
        except OSError as error:
            if is_out_of_room(error):
                raise CommandError(tell_full_temporary(), Exit.FAILED) from None
            told = f"{error.filename or path} cannot be packed ({error.strerror}); mend that and deploy again"
            raise CommandError(printable(told), Exit.REFUSED) from None
        yield package


def _follow(messages: Iterator[dict[str, Any]], progress: Progress) -> dict[str, Any]:
    """The host's last word, `done`; everything before it goes to `progress`."""
    for message in messages:
        match message.get("type"):
            case "step":
                progress.step(str(message.get("step")), printable(str(message.get("message", ""))))
            case "log":
                progress.log(printable(str(message.get("line", ""))))
            case "note":
                progress.note(printable(str(message.get("line", ""))))
            case "error":
                progress.fail()
                raise _refused(message)
            case "done":
                return message
    raise CommandError("the host ended the deploy without saying how; see its own log", Exit.UNREACHABLE)


def _refused(message: dict[str, Any]) -> CommandError:
    code = BY_STATUS.get(message.get("status", 0), Exit.REFUSED)
    lines = [message.get("detail") or message.get("title"), *(message.get("stack") or [])]
    return CommandError("\n".join(printable(str(line).rstrip("\n")) for line in lines), code)


def _sentence(done: dict[str, Any]) -> str:
    label = f"{done.get('function')}@{done.get('revision')}"
    if done.get("unchanged"):
        return f"{label} is live already: the package is the same"
    return f"{label} is live after {done.get('seconds', 0):.1f} s"
