"""A config's text is changed in few places: what is the same stays as people wrote it."""

import copy
import random
from typing import Any

from conf.document import read_document
from conf.native_edit import edit

TEXT = """\
# the line in hall 2
mqtts:
  # the plant's own broker
  - name: plant   # 产线
    broker: "tcp://127.0.0.1:1883"
    qos: 1
  - {name: b2, broker: tcp://x}
limits:
  max_body: 1MiB
  memory:
rules: []
funcs:
- modelName: trend   # the old one
  env: {A: x}
  scale:
    min: 1
# the newest
- modelName: industry
log:
  level: >-
    info
"""


def read(text: str) -> Any:
    return read_document(text.encode()).value


def changed(text: str) -> tuple[list[str], list[str]]:
    """Lines that went, and lines that came."""
    before, after = TEXT.splitlines(), text.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_nothing_else_is_touched_when_a_value_is_changed() -> None:
    wanted = copy.deepcopy(read(TEXT))
    wanted["mqtts"][0]["qos"] = 2
    wanted["limits"]["memory"] = "1GiB"
    edited = edit(TEXT, wanted)
    assert edited.is_whole
    assert changed(edited.text) == (["    qos: 1", "  memory:"], ["    qos: 2", '  memory: "1GiB"'])


def test_what_comes_and_goes_takes_lines_of_its_own_only() -> None:
    wanted = copy.deepcopy(read(TEXT))
    wanted["mqtts"].append({"name": "b3", "broker": "tcp://z"})
    wanted["funcs"].insert(0, {"modelName": "first"})
    del wanted["mqtts"][0]["name"], wanted["limits"]["max_body"]
    wanted["listen"] = "127.0.0.1:1"
    edited = edit(TEXT, wanted)
    assert edited.is_whole
    assert read(edited.text) == wanted
    gone, come = changed(edited.text)
    assert set(gone) == {
        "  - name: plant   # 产线",
        '    broker: "tcp://127.0.0.1:1883"',
        "  max_body: 1MiB",
    }
    assert '  - broker: "tcp://127.0.0.1:1883"' in come
    assert "- modelName: first" in come


def test_whatever_is_wanted_the_text_says_it() -> None:
    for seed in range(300):
        choose = random.Random(seed)
        wanted = copy.deepcopy(read(TEXT))
        for _ in range(3):
            wanted = _mutated(wanted, choose)
        edited = edit(TEXT, wanted)
        assert (read(edited.text) or {}) == wanted
        assert edited.is_whole or "# the line in hall 2" not in edited.text


def _mutated(value: Any, choose: random.Random) -> Any:
    news = [3, "s", None, True, "a\nb", [], {}, [{"name": "q"}], {"z": {"y": 1}}]
    if isinstance(value, dict):
        kept = {key: _mutated(each, choose) for key, each in value.items() if choose.random() > 0.1}
        return kept | ({f"k{choose.randint(0, 5)}": choose.choice(news)} if choose.random() < 0.1 else {})
    if isinstance(value, list):
        kept_items = [_mutated(each, choose) for each in value if choose.random() > 0.1]
        choose.shuffle(kept_items)
        return [*kept_items, *([{"name": f"n{choose.random()}"}] if choose.random() < 0.2 else [])]
    return choose.choice(news) if choose.random() < 0.1 else value


def test_what_cannot_be_changed_in_place_is_written_anew_and_says_that_comments_are_lost() -> None:
    text = "# why\nfuncs:\n- &one {modelName: a}\n- *one\n"
    edited = edit(text, {"funcs": [{"modelName": "a"}, {"modelName": "b"}]})
    assert read(edited.text) == {"funcs": [{"modelName": "a"}, {"modelName": "b"}]}
    edited = edit("{log: {level: info}}  # why\n", {"log": {"level": "debug"}})
    assert (edited.text, edited.is_whole) == ("log:\n  level: debug\n", False)


def test_an_empty_file_begins_with_what_is_wanted() -> None:
    assert edit("", {"log": {"level": "info"}}).text == "log:\n  level: info\n"
    assert edit("# nothing yet\n", {"log": {"level": "info"}}).text == "# nothing yet\nlog:\n  level: info\n"
