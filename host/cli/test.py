"""`fnhost test`: the samples of a package, run as a host would run them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.output import printable
from host.private.tidying import tidying_up

if TYPE_CHECKING:
    from host.authoring.trial import Verdict


@click.command()
@click.argument("package", type=click.Path(exists=True, path_type=Path))
@click.option("--update", is_flag=True, help="Write what is answered into the samples, as expected.")
@click.option(
    "--approx",
    type=click.FloatRange(min=0),
    default=0.0,
    help="How far numbers may be off, as a share (0.001); a sample's own `approx` wins.",
)
@tidying_up()
def test(package: Path, update: bool, approx: float) -> None:
    """Send the samples of PACKAGE to it, and show what is not answered as expected.

    PACKAGE is a folder or a zip, with samples/*.json; it runs on a host of its own, in its own environment.
    """
    from host.authoring.faults import AuthoringError, RefusedPackageError
    from host.authoring.trial import Trial, run_trial
    from host.client.errors import ClientError
    from host.private.child import ChildError

    if update and package.is_file():
        raise CommandError("--update writes into a folder, and this is a zip; name the folder", Exit.USAGE)
    score = _Score(update)
    try:
        run_trial(Trial(package, score.judge, _tell, approx))
    except RefusedPackageError as error:
        raise CommandError(printable(str(error)), Exit.REFUSED) from None
    except AuthoringError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    except (ChildError, ClientError) as error:
        raise CommandError(printable(str(error)), Exit.FAILED) from None
    score.end()


class _Score:
    """Shows each verdict and counts; with `update` answers are written, and only failures count."""

    def __init__(self, update: bool) -> None:
        self._update = update
        self._all = self._bad = 0

    def judge(self, verdict: "Verdict") -> None:
        self._all += 1
        if self._update and not verdict.failed:
            self._write(verdict)
            return
        self._bad += bool(verdict.lines)
        click.echo(f"{'FAIL' if verdict.lines else 'ok':<8}{printable(verdict.sample.name)}")
        for line in verdict.lines:
            click.echo("\n".join(f"        {part}" for part in printable(line).split("\n")))

    def _write(self, verdict: "Verdict") -> None:
        changed = bool(verdict.lines) or not verdict.sample.says_answer
        if changed:
            verdict.sample.path.write_text(verdict.sample.with_answer(verdict.answer), encoding="utf-8")
        click.echo(f"{'written' if changed else 'ok':<8}{printable(verdict.sample.name)}")

    def end(self) -> None:
        if self._bad:
            told = f"{self._bad} of {self._all} samples are not answered as expected"
            raise CommandError(
                f"{told}; mend the function, or take the answers over with --update", Exit.FAILED
            )
        click.echo(f"{self._all} of {self._all} samples are answered as expected")


def _tell(message: dict[str, Any]) -> None:
    """What a person waits for, and what they should know."""
    text = message.get("message", "") if message.get("step") == "environment" else ""
    if message.get("type") == "note":
        text = f"note: {message.get('line')}"
    if text and "(no requirements)" not in text:
        click.echo(printable(str(text)), err=True)
