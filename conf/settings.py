"""What the host runs with: flags over environment over config file over defaults."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from conf.address import Address, parse_address
from conf.faults import ConfigError, Fault
from conf.load import Reading, read_config
from conf.models import Config
from conf.observing import Log
from conf.old_variables import old_variable_faults

VARIABLES = {
    "config": "FNHOST_CONFIG",
    "listen": "FNHOST_LISTEN",
    "state": "FNHOST_STATE",
    "allow_anonymous": "FNHOST_ALLOW_ANONYMOUS",
    "log_form": "FNHOST_LOG_FORM",
    "log_level": "FNHOST_LOG_LEVEL",
}
# What distutils.util.strtobool took, which Python no longer has.
SWITCHED_ON, SWITCHED_OFF = ("y", "yes", "t", "true", "on", "1"), ("n", "no", "f", "false", "off", "0")
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Settings:
    """Everything decided before the host starts; `state_dir` is absolute and need not exist.

    `notes` says what was assumed to read the config, and which functions of it cannot be had. `told_log` is
    what flags and environment say of the log, which holds whatever the config says.
    `download_models` holds for functions of which the config does not say it; `pyboot_home` is the folder of
    the program before this one.
    """

    listen_host: str
    listen_port: int
    state_dir: Path
    allow_anonymous: bool
    config: Config
    config_path: Path | None
    notes: tuple[str, ...] = ()
    download_models: bool = False
    pyboot_home: Path | None = None
    told_log: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Log:
        """What the host's own log is like."""
        return self.config.log.model_copy(update=dict(self.told_log))


@dataclass(frozen=True)
class _Given:
    """What flags and environment say, and how to name it in an error."""

    flags: Mapping[str, object]
    env: Mapping[str, str]

    def get(self, name: str) -> tuple[object, str]:
        """The value, None when not given, and where it comes from."""
        if self.flags.get(name) is not None:
            return self.flags[name], f"--{name.replace('_', '-')}"
        return self.env.get(VARIABLES[name]) or None, VARIABLES[name]


def _never(state_dir: Path) -> bool:
    return False


def gather_settings(
    flags: Mapping[str, object], env: Mapping[str, str], has_token: Callable[[Path], bool] = _never
) -> Settings:
    """The settings from `flags` (the names in VARIABLES; None: not given) and `env`.

    Without a config file, the one in the state folder is read if there is one. `has_token` says whether a
    state folder knows a token that opens something. Raises ConfigError with all faults, one of which is an
    address beyond loopback without any.
    """
    given = _Given(flags, env)
    path, _ = given.get("config")
    if path is None and os.path.isfile(own := own_config(_state_dir(given, Config()))):
        path = own
    reading = read_config(Path(str(path)).expanduser(), env) if path else None
    config = reading.config if reading else Config()
    faults: list[Fault] = []
    address = _address(given, config, faults)
    anonymous = _anonymous(given, config, faults)
    downloads = _download_models(env, faults)
    told_log = _told_log(given, faults)
    faults += old_variable_faults(env)
    state_dir = _state_dir(given, config)
    if not (faults or anonymous or address.is_loopback or has_token(state_dir)):
        faults.append(_exposed(address, state_dir))
    faults += _certificate_faults(config)
    if faults:
        raise ConfigError(faults)
    return Settings(
        listen_host=address.host,
        listen_port=address.port,
        state_dir=state_dir,
        allow_anonymous=anonymous,
        config=config,
        notes=_notes(reading) if reading else (),
        config_path=Path(str(path)).expanduser().absolute() if path else None,
        download_models=downloads,
        pyboot_home=Path(env["PYBOOT_HOME"]).expanduser().absolute() if env.get("PYBOOT_HOME") else None,
        told_log=told_log,
    )


def _notes(reading: Reading) -> tuple[str, ...]:
    read_as = () if reading.generation == "native" else (f"read as generation {reading.generation}",)
    exposed = (str(reading.exposed),) if reading.exposed else ()
    return (*read_as, *exposed, *map(str, reading.notes), *map(str, reading.stopped.values()))


def _address(given: _Given, config: Config, faults: list[Fault]) -> Address:
    value, origin = given.get("listen")
    try:
        return config.listen if value is None else parse_address(value)
    except ValueError as error:
        faults.append(Fault(origin, str(error)))
        return config.listen


def _anonymous(given: _Given, config: Config, faults: list[Fault]) -> bool:
    value, origin = given.get("allow_anonymous")
    word = str(value).lower()
    if value is None:
        return config.allow_anonymous
    if word not in TRUE + FALSE:
        faults.append(Fault(origin, f"{value!r} is neither true nor false"))
    return word in TRUE


def _told_log(given: _Given, faults: list[Fault]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name in ("form", "level"):
        value, origin = given.get(f"log_{name}")
        known = get_args(Log.model_fields[name].annotation)
        if value is not None and str(value).lower() not in known:
            faults.append(Fault(origin, f"{value!r} is none of {', '.join(known)}"))
        elif value is not None:
            told[name] = str(value).lower()
    return told


def _download_models(env: Mapping[str, str], faults: list[Fault]) -> bool:
    """DOWNLOAD_MODEL, in every spelling that the older program took for true or false."""
    word = env.get("DOWNLOAD_MODEL", "false")
    if word.lower() not in SWITCHED_ON + SWITCHED_OFF:
        faults.append(Fault("DOWNLOAD_MODEL", f"{word!r} is neither true nor false"))
    return word.lower() in SWITCHED_ON


def _certificate_faults(config: Config) -> list[Fault]:
    if config.tls is None:
        return []
    from conf.certificates import make_context

    try:
        make_context(config.tls)
    except ConfigError as error:
        return error.faults
    return []


def _exposed(address: Address, state_dir: Path) -> Fault:
    return Fault(
        "listen",
        f"{address} can be reached from other machines, and there is no token yet that anybody could have",
        f"make one with `fnhost token create --scope admin --state {state_dir}`, listen on 127.0.0.1,"
        " or let everybody do everything with --allow-anonymous or `allow_anonymous: true`",
    )


def _state_dir(given: _Given, config: Config) -> Path:
    value, _ = given.get("state")
    if value is not None:
        return Path(str(value)).expanduser().absolute()
    return config.state or default_state_dir(given.env)


def own_config(state_dir: Path) -> Path:
    """The config file of a host that is told of none: what the console begins."""
    return state_dir / "config.yaml"


def default_state_dir(env: Mapping[str, str]) -> Path:
    """/var/lib/fnhost for root, else the XDG state folder (relative ones are invalid, says its standard)."""
    if os.geteuid() == 0:
        return Path("/var/lib/fnhost")
    xdg = Path(env.get("XDG_STATE_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".local" / "state") / "fnhost"
