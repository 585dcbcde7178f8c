"""Config files in JSON."""

from pathlib import Path

import pytest

from conf.faults import ConfigError
from conf.load import read_config


def test_a_config_in_json_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(
        '{\n\t"funcs": [{"modelName": "\\u8d8b\\u52bf",'
        ' "devices": [{"deviceName": "\\ud83d\\ude00\\/\\\\ud83d\\\\ude00"}]}],\n'
        '\t"lisen": 1\n}\n'
    )
    with pytest.raises(ConfigError) as caught:
        read_config(path, {})
    (fault,) = caught.value.faults
    assert (fault.path, fault.line, fault.hint) == ("lisen", 3, "did you mean `listen`?")
    path.write_text(path.read_text().replace("lisen", "state").replace("1", '"kept"'))
    config = read_config(path, {}).config
    assert config.funcs[0].model_name == "趋势"
    assert config.funcs[0].devices[0].device_name == "😀/\\ud83d\\ude00"


@pytest.mark.parametrize(
    ("text", "line"),
    [('{"a": 1,\n}', 2), ("listen: x", 1), ('{"state": "a",\n"state": "b"}', 2), ("[" * 100_000, None)],
)
def test_what_is_not_json_is_told_with_its_line(tmp_path: Path, text: str, line: int | None) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(path, {})
    assert caught.value.faults[0].line == line
