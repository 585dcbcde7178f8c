"""What a function prints and logs goes to its log line by line, with its invocation's id, and bounded."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import TextIO, cast

import pytest

from runtime.loglines import LogLine, parse_line
from runtime.worker.loggers import FunctionLogger, LogHandler
from runtime.worker.logs import DEFAULT_RULES, LogPipe, LogRules, LogStream
from runtime.worker.masks import make_keep, make_mask

SETTING = " (`limits.log_invocation`)"
MAX_PER_INVOCATION = DEFAULT_RULES.per_invocation
SECRET = "p4ssw0rd-of-the-press"
RULES = LogRules(mask=make_mask([SECRET]), keep=make_keep([SECRET]))

Line = tuple[str, str, str]


class Written:
    """Both ends of a log: `out` is what stands in for sys.stdout."""

    def __init__(self, fds: tuple[int, int], is_shared: bool = False) -> None:
        self._reading = fds[0]
        self.pipe = LogPipe(fds[1], is_shared, RULES)
        self.out = cast(TextIO, LogStream(self.pipe, "info"))

    def raw(self) -> str:
        """All that was written and is not read yet."""
        data = b""
        while chunk := self._read():
            data += chunk
        return data.decode()

    def lines(self) -> list[Line]:
        """Level, invocation and text of all that was written and is not read yet."""
        parsed = [parse_line(line, "f@1") for line in self.raw().split("\n")[:-1]]
        return [(line.level, line.id, line.line) for line in parsed]

    def _read(self) -> bytes:
        try:
            return os.read(self._reading, 65536)
        except BlockingIOError:
            return b""


@pytest.fixture(params=[False])
def log(request: pytest.FixtureRequest) -> Iterator[Written]:
    """A log over a pipe; its parameter is whether invocations run at the same time."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield Written((reading, writing), request.param)
    os.close(reading)
    os.close(writing)


def collecting(log: Written, run: Callable[[], None]) -> list[Line]:
    """Runs while a thread keeps the pipe empty, as the host does; returns all lines."""
    lines: list[Line] = []
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            lines.extend(log.lines())

    thread = threading.Thread(target=collect)
    thread.start()
    run()
    done.set()
    thread.join()
    return lines + log.lines()


def test_each_line_carries_the_id_of_its_invocation(log: Written) -> None:
    print("before", file=log.out)
    log.pipe.begin("one")
    print("a\nb", file=log.out)
    log.pipe.end()
    print("after", file=log.out)
    assert log.lines() == [
        ("info", "", "before"),
        ("info", "one", "a"),
        ("info", "one", "b"),
        ("info", "", "after"),
    ]


def test_a_line_without_an_end_is_sent_when_its_invocation_ends(log: Written) -> None:
    for invocation in ("one", "two"):
        log.pipe.begin(invocation)
        print("half", end="", file=log.out)
        log.pipe.end()
    assert log.lines() == [("info", "one", "half"), ("info", "two", "half")]


def test_flush_sends_a_line_without_an_end(log: Written) -> None:
    print("half", end="", file=log.out, flush=True)
    assert log.lines() == [("info", "", "half")]


def test_a_secret_in_two_halves_is_masked(log: Written) -> None:
    log.pipe.begin("one")
    print(f"half {SECRET[:9]}", end="", file=log.out, flush=True)
    print(SECRET[9:], file=log.out)
    log.out.write("z" * 2990 + SECRET[:15])
    log.out.write(SECRET[15:] + "\n")
    print(f"only {SECRET[:3]}", end="", file=log.out, flush=True)
    log.pipe.end()
    text = "|".join(line for _, _, line in log.lines())
    assert text.startswith("half |***|zzz")
    assert text.endswith("z|***|only |p4s")


def test_what_coroutines_print_at_the_same_time_does_not_mix(log: Written) -> None:
    async def invoke(name: str) -> None:
        log.pipe.begin(name)
        for part in "abc":
            print(name, part, end=" ", file=log.out)
            await asyncio.sleep(0)
        log.pipe.end()

    async def both() -> None:
        await asyncio.gather(invoke("one"), invoke("two"))

    asyncio.run(both())
    assert sorted(log.lines()) == [
        ("info", "one", "one a one b one c "),
        ("info", "two", "two a two b two c "),
    ]


def test_a_thread_prints_for_the_only_invocation_that_runs(log: Written) -> None:
    log.pipe.begin("one")
    thread = threading.Thread(target=lambda: print("from a thread", file=log.out))
    thread.start()
    thread.join()
    log.pipe.end()
    assert log.lines() == [("info", "one", "from a thread")]


@pytest.mark.parametrize("log", [True], indirect=True)
def test_a_thread_prints_for_nobody_where_another_invocation_may_run_than_the_one_that_started_it(
    log: Written,
) -> None:
    log.pipe.begin("one")
    log.pipe.end()
    log.pipe.begin("two")
    thread = threading.Thread(target=lambda: print("left over", file=log.out))
    thread.start()
    thread.join()
    print("my own", file=log.out)
    log.pipe.end()
    assert log.lines() == [("info", "", "left over"), ("info", "two", "my own")]


@pytest.mark.parametrize("log", [True], indirect=True)
def test_each_of_several_batches_at_a_time_has_a_bound_and_lines_of_its_own(log: Written) -> None:
    ended = asyncio.Event()

    async def first() -> None:
        log.pipe.begin("")
        print("half ", end="", file=log.out)
        await ended.wait()
        print("a line", file=log.out)
        print("x" * 2 * MAX_PER_INVOCATION, file=log.out)
        log.pipe.end()

    async def second() -> None:
        log.pipe.begin("")
        print("another", file=log.out)
        log.pipe.end()
        ended.set()

    async def both() -> None:
        await asyncio.gather(first(), second())

    lines = [text for _, _, text in collecting(log, lambda: asyncio.run(both()))]
    assert lines[:2] == ["another", "half a line"]
    assert sum(map(len, lines)) < MAX_PER_INVOCATION + 100
    assert "bytes more were printed" in lines[-1]


def test_threads_do_not_mix_within_a_line(log: Written) -> None:
    def talk(name: str) -> None:
        for _ in range(200):
            print(name, name, name, file=log.out)

    def run() -> None:
        threads = [threading.Thread(target=talk, args=(name,)) for name in "xyz"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    texts = [text for _, _, text in collecting(log, run)]
    assert sorted(texts) == ["x x x"] * 200 + ["y y y"] * 200 + ["z z z"] * 200


@pytest.mark.parametrize("text", ["x" * 10_000_000, "x\n" * 200_000, "温" * 3_000_000, "\n" * 200_000])
def test_what_one_invocation_prints_is_bounded_and_the_rest_counted(log: Written, text: str) -> None:
    def run() -> None:
        log.pipe.begin("one")
        print(text, file=log.out)
        log.pipe.end()
        log.pipe.begin("two")
        print("goes on", file=log.out)
        log.pipe.end()

    lines = collecting(log, run)
    assert lines[-1] == ("info", "two", "goes on")
    level, invocation, told = lines[-2]
    assert (level, invocation) == ("warning", "one")
    kept = sum(len(line.encode()) for _, _, line in lines[:-2])
    assert 100 < kept + 65 * len(lines) <= 4 * MAX_PER_INVOCATION
    if "\n" not in text:
        assert (
            told
            == f"{len(text.encode()) - kept} bytes more were printed by this invocation and not kept"
            + SETTING
        )


def test_the_end_of_a_line_that_was_sent_already_is_no_line_more(log: Written) -> None:
    print("x" * 5000, file=log.out)
    print("half", end="", file=log.out, flush=True)
    print("", file=log.out)
    print("", file=log.out)
    texts = [text for _, _, text in log.lines()]
    assert "".join(texts) == "x" * 5000 + "half"
    assert texts[-2:] == ["half", ""]


def test_a_line_is_cut_into_pieces_that_a_pipe_does_not_mix(log: Written) -> None:
    print("温" * 5000, file=log.out)
    lines = log.lines()
    assert "".join(text for _, _, text in lines) == "温" * 5000
    assert all(len(text.encode()) < 4096 - 200 for _, _, text in lines)


def test_marks_and_odd_characters_in_a_line_do_no_harm(log: Written) -> None:
    log.pipe.begin("one")
    print("a\x1eb\x1fc\rd\ud800\0", file=log.out)
    log.pipe.end()
    assert log.lines() == [("info", "one", "a b\x1fcd?\0")]


def test_a_closed_log_does_not_fail_the_function() -> None:
    reading, writing = os.pipe()
    pipe = LogPipe(writing)
    os.close(reading)
    print("to nobody", file=cast(TextIO, LogStream(pipe, "info")))
    os.close(writing)


def test_the_stream_passes_for_a_standard_stream(log: Written) -> None:
    log.out.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
    assert (log.out.encoding, log.out.isatty(), log.out.writable()) == ("utf-8", False, True)
    log.out.buffer.write(b"raw\n")
    assert log.lines() == [("stderr", "", "raw")]
    with pytest.raises(TypeError):
        log.out.write(b"bytes")  # type: ignore[arg-type]


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


def test_log_records_have_their_level_their_traceback_and_their_fields(log: Written) -> None:
    logger = logging.Logger("package")
    logger.addHandler(LogHandler(log.pipe))
    function_logger = FunctionLogger(logger, {})
    logger.warning("hot: %d", 80)
    function_logger.info_with("100% drift", sensor="三", value=1.5)
    logger.error("%s", Unprintable())
    logger.error("%d", "no number")
    try:
        raise ValueError("no good")
    except ValueError:
        logger.exception("failed")
    lines = log.lines()
    assert lines[:2] == [("warning", "", "hot: 80"), ("info", "", "100% drift")]
    assert [text.partition(" cannot")[2] for _, _, text in lines[2:4]] == [
        " be formatted: ValueError)",
        " be formatted: TypeError)",
    ]
    assert lines[4] == ("error", "", "failed")
    assert lines[-1] == ("error", "", "ValueError: no good")


def logged(log: Written) -> tuple[logging.Logger, FunctionLogger]:
    logger = logging.Logger("package")
    logger.addHandler(LogHandler(log.pipe))
    return logger, FunctionLogger(logger, {})


def parsed(log: Written) -> list[LogLine]:
    return [parse_line(line, "f@1") for line in log.raw().split("\n")[:-1]]


def test_fields_of_any_name_and_value_reach_the_host(log: Written) -> None:
    logger, function_logger = logged(log)
    function_logger.info_with(
        "drift", sensor="三", value=1.5, name="n", args=[1, None], self=True, odd={1, 2}
    )
    logger.warning("hot", extra={"unit": "K", "nan": float("nan"), "secret": [f"is {SECRET}"]})
    function_logger.error("plain", extra={"more": "x" * 600})
    first, second, third = parsed(log)
    assert first.fields == {
        "sensor": "三",
        "value": 1.5,
        "name": "n",
        "args": [1, None],
        "self": True,
        "odd": "{1, 2}",
    }
    assert second.fields == {"unit": "K", "nan": "NaN", "secret": '["is ***"]'}
    assert third.fields == {"more": "x" * 500 + "…"}


def test_fields_are_bounded_and_a_line_with_them_stays_whole_on_the_pipe(log: Written) -> None:
    _, function_logger = logged(log)
    function_logger.info_with("温" * 1000, **{f"n{number}": "三" * 100 for number in range(50)})
    raw = log.raw().split("\n")[:-1]
    assert all(len(line.encode()) < 4096 for line in raw)
    lines = [parse_line(line, "f@1") for line in raw]
    assert "".join(line.line for line in lines) == "温" * 1000
    assert [line.more for line in lines] == [False, *[True] * (len(lines) - 1)]
    assert lines[0].fields is not None and lines[0].fields["_cut"] == 51 - len(lines[0].fields)
    assert not any(line.fields for line in lines[1:])


@pytest.mark.parametrize(
    "fields", ["[1]", "{", "{}", "[" * 1900, '{"a": 1e999}', '{"a": "' + "x" * 3000 + '"}']
)
def test_what_is_no_set_of_fields_is_left_out(fields: str) -> None:
    line = parse_line(f"\x1einfo\x1fid\x1f1\x1f\x1f{fields}\x1ftext", "f@1")
    assert (line.line, line.fields) == ("text", None)
