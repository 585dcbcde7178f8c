"""Flags over environment over file over defaults."""

import os
from pathlib import Path

import pytest

from conf.faults import ConfigError
from conf.settings import default_state_dir, gather_settings


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "fnhost.yaml"
    path.write_text("listen: 127.0.0.1:3\nstate: from-file\n")
    return str(path)


def test_without_anything_the_defaults_hold() -> None:
    settings = gather_settings({}, {})
    assert (settings.listen_host, settings.listen_port) == ("127.0.0.1", 5888)
    assert (settings.allow_anonymous, settings.config_path) == (False, None)
    assert settings.state_dir == default_state_dir({})


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file: str, tmp_path: Path) -> None:
    env = {"FNHOST_LISTEN": "127.0.0.1:2", "FNHOST_STATE": "/from/env", "FNHOST_CONFIG": file}
    assert gather_settings({"listen": "127.0.0.1:1", "state": None}, env).listen_port == 1
    assert gather_settings({"listen": None}, env).listen_port == 2
    assert gather_settings({"state": "/from/flag"}, env).state_dir == Path("/from/flag")
    assert gather_settings({}, env).state_dir == Path("/from/env")
    assert gather_settings({"config": file}, {}).listen_port == 3
    assert gather_settings({"config": file}, {}).state_dir == tmp_path / "from-file"


def test_a_relative_state_folder_of_a_flag_starts_where_the_person_is() -> None:
    assert gather_settings({"state": "here"}, {}).state_dir == Path.cwd() / "here"


@pytest.mark.parametrize("listen", ["0.0.0.0:5888", "[::]:5888", "192.168.1.5:80", "gateway:80"])
def test_an_address_beyond_loopback_is_refused_with_the_remedy(listen: str) -> None:
    with pytest.raises(ConfigError, match="--allow-anonymous"):
        gather_settings({"listen": listen}, {})


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:5888", "localhost:5888"])
def test_an_address_of_this_machine_needs_no_permission(listen: str) -> None:
    assert not gather_settings({"listen": listen}, {}).allow_anonymous


@pytest.mark.parametrize(
    ("flags", "env"), [({"allow_anonymous": True}, {}), ({}, {"FNHOST_ALLOW_ANONYMOUS": "Yes"})]
)
def test_an_address_beyond_loopback_can_be_allowed(flags: dict[str, object], env: dict[str, str]) -> None:
    assert gather_settings({"listen": "0.0.0.0:1", **flags}, env).listen_host == "0.0.0.0"


def test_faults_of_the_environment_name_the_variable() -> None:
    with pytest.raises(ConfigError) as caught:
        gather_settings({}, {"FNHOST_LISTEN": "5888", "FNHOST_ALLOW_ANONYMOUS": "perhaps"})
    assert [fault.path for fault in caught.value.faults] == ["FNHOST_LISTEN", "FNHOST_ALLOW_ANONYMOUS"]


def test_the_state_of_a_person_stands_in_their_xdg_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_state_dir({"XDG_STATE_HOME": "/xdg"}) == Path("/xdg/fnhost")
    assert default_state_dir({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/fnhost"


def test_the_state_of_root_stands_in_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state_dir({"XDG_STATE_HOME": "/xdg"}) == Path("/var/lib/fnhost")
