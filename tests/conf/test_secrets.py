"""Secrets of the config: how they are written, and that nothing repeats them."""

from pathlib import Path

import pytest

from conf.load import examine_config
from conf.secrets import LONGEST_SECRET
from tests.conf.reading import faults, read

ENV = {"KEY": "opensesame"}


def test_a_secret_is_its_value_alone_or_says_which_functions_may_have_it(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("p4ssw0rd\n")
    text = """
        secrets:
          DB: ${file:db}
          PIN: 123456
          KEY: {value: "${env:KEY}", functions: [industry]}
        """
    config = read(tmp_path, text, ENV)
    told = {
        name: (secret.value.get_secret_value(), secret.functions) for name, secret in config.secrets.items()
    }
    assert told == {"DB": ("p4ssw0rd", None), "PIN": ("123456", None), "KEY": ("opensesame", ("industry",))}
    assert not any(value in repr(config) for value, _ in told.values())


def test_a_secret_of_the_longest_length_passes_and_one_character_more_is_refused(tmp_path: Path) -> None:
    assert read(tmp_path, f"secrets: {{KEY: {'x' * LONGEST_SECRET}}}").secrets
    (fault,) = faults(tmp_path, f"secrets: {{KEY: {'x' * (LONGEST_SECRET + 1)}}}").values()
    assert (fault.path, fault.line) == ("secrets.KEY.value", 1)
    assert "8,192" in fault.message


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("secrets: {KEY: [opensesame]}", "secrets.KEY"),
        ("secrets: {A-B: opensesame}", "secrets.A-B"),
        ("secrets: {KEY: {value: '${env:KEY}', functions: [opensesame/..]}}", "secrets.KEY.functions[0]"),
        ("secrets: {KEY: {functions: [industry]}}", "secrets.KEY.value"),
        ("secrets: {KEY: ''}", "secrets.KEY.value"),
    ],
)
def test_what_is_no_secret_is_told_by_its_path(tmp_path: Path, text: str, path: str) -> None:
    assert list(faults(tmp_path, text, ENV)) == [path]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("secrets: {KEY: opensesame}", "secrets.KEY"),
        ("secrets: {KEY: {value: opensesame}}", "secrets.KEY.value"),
        ("mqtts: [{name: b, broker: 'tcp://h', password: opensesame}]", "mqtts[0].password"),
        ("funcs: [{modelName: f, modelAddress: 'https://u:opensesame@h/f.zip'}]", "funcs[0].modelAddress"),
        ("secrets: {KEY: '${env:KEY}'}", None),
        ("mqtts: [{name: b, broker: 'tcp://h', password: '${env:KEY}'}]", None),
        ("funcs: [{modelName: f, modelAddress: 'https://h/f.zip'}]", None),
    ],
)
def test_plain_secrets_in_a_file_that_everybody_may_read_are_told(
    tmp_path: Path, text: str, where: str | None
) -> None:
    file = tmp_path / "fnhost.yaml"
    file.write_text(text)
    file.chmod(0o644)
    exposed = examine_config(file, ENV).exposed
    assert (exposed and exposed.path) == where
    assert "opensesame" not in str(exposed)
    file.chmod(0o640)
    assert examine_config(file, ENV).exposed is None
