"""The host's own log: one JSON object per line, or lines for people, without floods and secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from conf.models import Config
from conf.observing import Log
from host.cli.output import printable
from host.logs.flood import ALIKE, SAME, WINDOW
from host.logs.forms import JsonForm, TextForm
from host.logs.host_log import HostLog, choose_form
from tests.hosts import StartHost, wait_until

SECRET = 'p4ss"w0rd'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Scene:
    """A log that is open, and a logger of its own; `now` is its clock."""

    def __init__(self, form: str) -> None:
        self.stream = io.StringIO()
        self.now = 0.0
        self.log = HostLog(self.stream, lambda: self.now)
        config = Config.model_validate({"secrets": {"K": SECRET}})
        self.log.open(Log.model_validate({"form": form}), config)
        self.logger = logging.getLogger("tests.host_log")

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().split("\n")[:-1]]


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = Scene(getattr(request, "param", "json"))
    yield scene
    scene.log.close()


def test_a_record_is_an_object_with_its_fields(scene: Scene) -> None:
    scene.logger.warning(
        "is\nit %s?", "so", extra={"function": "工业", "revision": 2, "broker": None, "level": "x"}
    )
    (told,) = scene.objects()
    assert told.pop("time").endswith("Z") and len(scene.lines()) == 1
    assert told == {
        "level": "warning",
        "logger": "tests.host_log",
        "message": "is\nit so?",
        "function": "工业",
        "revision": 2,
    }
    assert "工业" in scene.stream.getvalue()


def test_an_exception_is_named_and_its_traceback_is_one_string(scene: Scene) -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        scene.logger.exception("it failed")
    (told,) = scene.objects()
    assert (told["error"], told["message"]) == ("KeyError", "it failed")
    assert told["traceback"].startswith("Traceback (most") and told["traceback"].endswith("KeyError: 'gone'")


def test_no_character_of_a_message_ends_a_line_or_moves_a_terminal(scene: Scene) -> None:
    odd = "\x1b]0;owned\x07\x9b2J\u2028\x85\ud800\0"
    scene.logger.info(odd)
    text = scene.stream.getvalue().encode("utf-8", "backslashreplace").decode()
    assert json.loads(text)["message"] == odd
    assert len(text.splitlines()) == 1 and not any(mark in text for mark in "\x1b\x07\x9b\x85\u2028\0")


def test_what_json_cannot_say_is_said_as_text_and_no_record_is_lost(scene: Scene) -> None:
    loop: list[object] = []
    loop.append(loop)
    odd = {"ratio": float("nan"), "places": {(1, 2): "x"}, "loop": loop, "kept": [1]}
    scene.logger.info("odd", extra=odd)
    (told,) = scene.objects()
    assert (told["message"], told["ratio"], told["places"]) == ("odd", "nan", "{(1, 2): 'x'}")
    assert (told["loop"], told["kept"]) == ("[[...]]", [1])


def test_no_character_turns_the_text_about(scene: Scene) -> None:
    scene.logger.info("a\u202eb\u2066c")
    assert "a\\u202eb\\u2066c" in scene.stream.getvalue()
    assert printable("a\u202eb\u2066c\td") == "a\\u202eb\\u2066c\td"


def test_secrets_of_the_config_are_blotted_out(scene: Scene) -> None:
    scene.logger.info("with %s", SECRET, extra={"told": f"by {SECRET}"})
    (told,) = scene.objects()
    assert (told["message"], told["told"]) == ("with ***", "by ***")


@pytest.mark.parametrize("scene", ["text"], indirect=True)
def test_for_people_further_lines_are_indented_and_controls_are_spelled(scene: Scene) -> None:
    scene.logger.error("one\n\x1b[31mtwo %s", SECRET)
    first, second = scene.lines()
    assert first.endswith("ERROR   one") and second == "    \\x1b[31mtwo ***"


def test_colour_is_for_terminals_only_and_not_for_those_who_want_none() -> None:
    record = logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": "no"})
    auto = Log()
    assert isinstance(choose_form(auto, io.StringIO(), {}), JsonForm)
    assert "\x1b[31m" in choose_form(auto, Terminal(), {}).format(record)
    assert "\x1b" not in choose_form(auto, Terminal(), {"NO_COLOR": "1"}).format(record)
    assert isinstance(choose_form(Log(form="text"), io.StringIO(), {}), TextForm)
    assert isinstance(choose_form(Log(form="json"), Terminal(), {}), JsonForm)


def test_what_is_said_again_and_again_is_held_back_and_counted(scene: Scene) -> None:
    for _ in range(SAME + 7):
        scene.logger.info("the same", extra={"function": "f"})
    scene.log.tell()
    assert len(scene.objects()) == SAME
    scene.now = WINDOW
    scene.log.tell()
    *_, told = scene.objects()
    assert (told["suppressed"], told["function"]) == (7, "f")
    assert told["message"] == "the same (and 7 more like this in 10 s)"
    scene.logger.info("the same")
    assert len(scene.objects()) == SAME + 2


def test_a_place_that_says_ever_new_things_is_held_back_and_counted_at_the_end(scene: Scene) -> None:
    for number in range(5000):
        scene.logger.info("event %d failed", number)
    scene.log.close()
    told = scene.objects()
    assert len(told) == ALIKE + 1 and told[-1]["suppressed"] == 5000 - ALIKE


def test_one_flood_is_told_once_with_its_sum(scene: Scene) -> None:
    for _ in range(1000):
        scene.logger.info("the same")
    scene.now = WINDOW
    scene.log.tell()
    *written, told = scene.objects()
    assert (len(written), told["suppressed"]) == (SAME, 1000 - SAME)
    scene.now += WINDOW
    scene.log.tell(whole=True)
    assert len(scene.objects()) == SAME + 1


def test_the_level_and_the_form_are_told_by_flags_and_the_config(start_host: StartHost) -> None:
    host = start_host("log: {form: text, level: warning}\n", {"FNHOST_LOG_LEVEL": "info"})
    assert "INFO    fnhost listens on" in host.log()
    (host.folder / "config.yaml").write_text("log: {form: json}\nsecrets: {K: its-not-said}\n")
    path = {"path": str(host.folder / "config.yaml")}
    assert "log: form or level changed" in host.client.post(f"{host.url}/api/config", json=path).text
    last = wait_until(lambda: host.log().splitlines()[-1], "the change is told")
    assert json.loads(last)["logger"] == "host.access.audit" and "its-not-said" not in host.log()
