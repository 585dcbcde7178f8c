"""The example in conf/config.yaml, and the schema."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import conf
from conf.load import json_schema, load_config

EXAMPLE = Path(conf.__file__).with_name("config.yaml")


def every_key() -> Iterator[tuple[str, dict[str, Any]]]:
    schema = json_schema()
    for owner in [schema, *schema["$defs"].values()]:
        yield from owner.get("properties", {}).items()


def test_the_example_is_valid_as_it_stands() -> None:
    config = load_config(EXAMPLE, {})
    assert config.funcs[0].package is not None
    assert config.funcs[0].package.resolve() == EXAMPLE.parent.parent.resolve() / "functions/samples/industry"


def test_the_example_is_valid_with_what_is_commented_out(tmp_path: Path) -> None:
    text = re.sub(r"^( *)# ((  )?\w+: )", r"\1\2", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("tcp://127", "ssl://127")
    (tmp_path / "broker-password").write_text("hush")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    broker = load_config(tmp_path / "config.yaml", {}).mqtts[0]
    assert broker.password is not None
    assert broker.tls is not None


@pytest.mark.parametrize("key", sorted({key for key, _ in every_key()}))
def test_the_example_shows_every_key(key: str) -> None:
    assert re.search(rf"(?<!\w){key}: ", EXAMPLE.read_text(encoding="utf-8") + " ") or re.search(
        rf"^{key}:$", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )


def test_the_schema_describes_every_key() -> None:
    assert all("description" in described for _, described in every_key())


def test_the_schema_has_passwords_as_such() -> None:
    password = json_schema()["$defs"]["Broker"]["properties"]["password"]
    assert password["anyOf"][0] == {"format": "password", "type": "string", "writeOnly": True}
