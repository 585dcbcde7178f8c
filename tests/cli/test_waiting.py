"""What a person sees of what takes its time, on a terminal only, and gone when it is done."""

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.cli.progress import open_progress
from host.cli.waiting import waiting
from host.client.upload import Upload
from tests.cli.running import read_until

ERASE, SHOW_CURSOR = "\x1b[2K", "\x1b[?25h"


@contextmanager
def terminal() -> Iterator[int]:
    """What a person sees of stderr, to be read from a descriptor."""
    master, slave = pty.openpty()
    with pytest.MonkeyPatch.context() as patched, os.fdopen(slave, "w") as stream:
        patched.setattr("sys.stderr", stream)
        patched.setenv("TERM", "xterm")
        yield master
    os.close(master)


def test_who_waits_sees_what_for_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.cli.waiting.AFTER", 0.0)
    with terminal() as seen:
        with waiting("replaying [all]") as tell:
            read_until(seen, "replaying [all]")
            tell("3 of 9 are done")
            read_until(seen, "3 of 9 are done")
        assert ERASE in read_until(seen, SHOW_CURSOR)


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.cli.waiting.AFTER", 60.0)
    with terminal() as seen:
        with waiting("replaying") as tell:
            tell("3 of 9 are done")
        print("the end", file=sys.stderr, flush=True)
        assert read_until(seen, "the end").startswith("the end")


def test_no_terminal_no_spinner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.cli.waiting.AFTER", 0.0)
    with waiting("replaying") as tell:
        tell("3 of 9 are done")
    assert capsys.readouterr() == ("", "")


def test_an_upload_shows_how_much_has_gone_until_the_host_begins() -> None:
    with terminal() as seen, open_progress() as progress:
        progress.sent(3 * 1024 * 1024, 12 * 1024 * 1024)
        read_until(seen, "upload: 3 MiB of 12 MiB")
        progress.step("unpack", "3 files")
        assert "upload" not in read_until(seen, "unpack: 3 files").rpartition(ERASE)[2]


def test_an_upload_tells_how_many_bytes_have_gone(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    (tmp_path / "package.zip").write_bytes(bytes(150_000))
    with (tmp_path / "package.zip").open("rb") as file:
        upload = Upload(file, lambda *each: told.append(each))
        assert upload.fileno() == file.fileno()
        assert b"".join(upload) == bytes(150_000)
    assert told == [(gone, 150_000) for gone in (0, 65_536, 131_072, 150_000)]
