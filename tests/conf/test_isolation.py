"""What the config says of boxes: levels, user ids, and what a function may have of the machine."""

from pathlib import Path

import pytest

from conf.faults import ConfigError
from conf.isolation import Isolation, parse_uids
from conf.load import load_config


def faults(folder: Path, text: str) -> str:
    (folder / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "c.yaml", {})
    return str(caught.value)


def test_without_a_word_of_it_the_best_is_taken_and_anything_will_do() -> None:
    assert (Isolation().level, Isolation().min, len(parse_uids(Isolation().uids))) == ("best", "none", 65536)


@pytest.mark.parametrize(
    ("section", "part"),
    [
        ("{level: basic, min: standard}", "`level` is basic, less than `min`, which is standard"),
        ("{uids: all}", "FIRST-LAST"),
        ("{uids: 0-5000}", "between 1000"),
        ("{uids: 200000-200100}", "101 user ids; a host takes 1024"),
        ("{min: best}", "'none', 'basic', 'standard' or 'strong'"),
    ],
)
def test_a_fault_of_the_isolation_is_told_in_plain_words(tmp_path: Path, section: str, part: str) -> None:
    assert part in faults(tmp_path, f"isolation: {section}")


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ("reads: [data]", "write it from / on"),
        ("reads: [/srv/../etc]", "without .."),
        ("writes: [/]", "the whole machine"),
        ("memory: 1MiB, resources: {memory: 1MiB}", "not both"),
    ],
)
def test_a_fault_of_what_a_function_may_have_is_told_in_plain_words(
    tmp_path: Path, keys: str, part: str
) -> None:
    assert part in faults(tmp_path, f"funcs: [{{modelName: f, {keys}}}]")
