"""Where the package of each function in the config comes from."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conf.funcs import Func
from conf.models import Config
from conf.names import check_name
from conf.settings import Settings
from functions.base_set import BaseSet
from functions.digests import read_digests
from functions.entry_package import EntryOrder
from functions.fetch_order import FetchOrder
from runtime.worker.pickle_policy import PicklePolicy

MODEL_FOLDERS = ("models", "modules/gridsum/science")


@dataclass(frozen=True)
class Refused:
    """The config names an address, but so that nothing may be taken from it."""

    reason: str


Source = Path | EntryOrder | FetchOrder | Refused | None


def find_sources(settings: Settings, downloads: Path) -> Mapping[str, Source]:
    """By function: a zip or folder, a zip to be fetched into `downloads`, or None: what is deployed is used.

    `package:` wins; then `modelAddress`, where downloads are wanted; then what lies below PYBOOT_HOME, in
    `models/NAME.zip`, `models/NAME/` or the same below `modules/gridsum/science`. A function with an `entry:`
    gets a package made for it.
    """
    return {
        func.model_name: func.package
        or _entry(func)
        or _order(number, func, settings, downloads)
        or find_model(settings.pyboot_home, func.model_name)
        for number, func in enumerate(settings.config.funcs)
    }


def find_bases(config: Config) -> Callable[[str], BaseSet]:
    """What the config gives to the packages of a function, by its name."""
    funcs = {func.model_name: func for func in config.funcs}

    def base_of(name: str) -> BaseSet:
        func = funcs.get(name)
        requirements = func.requirements if func and func.requirements is not None else config.requirements
        return BaseSet(requirements=requirements, python=(func and func.python) or config.python)

    return base_of


def pickle_policy(config: Config) -> PicklePolicy:
    """What the config lets pickles import."""
    lists = config.pickles.lists
    return PicklePolicy(lists.allow, lists.deny)


def _entry(func: Func) -> EntryOrder | None:
    return EntryOrder(func.entry, func.python_path) if func.entry is not None else None


def _order(number: int, func: Func, settings: Settings, downloads: Path) -> FetchOrder | Refused | None:
    if func.model_address is None or not _is_wanted(func, settings):
        return None
    try:
        read_digests(func.model_md5, func.sha256)
    except ValueError as error:
        return Refused(f"funcs[{number}] is not fetched: {error}")
    # Two names with the same address and digests share one file.
    identity = f"{func.model_address}\n{func.model_md5}\n{func.sha256}"
    target = downloads / f"{hashlib.sha256(identity.encode()).hexdigest()}.zip"
    most = settings.config.limits.package
    return FetchOrder(func.model_address, target, func.model_md5, func.sha256, most)


def _is_wanted(func: Func, settings: Settings) -> bool:
    told = settings.config.download if func.download is None else func.download
    return settings.download_models if told is None else told


def find_model(home: Path | None, name: str) -> Path | None:
    """The zip or folder with this model, as the older program's home held them."""
    try:
        name = check_name(name)  # else it could lead out of the folder
    except ValueError:
        return None
    for folder in MODEL_FOLDERS if home else ():
        for path in (Path(home or "", folder, f"{name}.zip"), Path(home or "", folder, name)):
            if path.is_file() if path.suffix == ".zip" else (path / "index.py").is_file():
                return path
    return None
