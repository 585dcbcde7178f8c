"""Names what packages import and lack, before they are deployed, for `fnhost config check`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from conf.faults import Fault
from conf.models import Config
from functions.archive import Limits
from functions.errors import PackageError
from functions.imports import missing_imports
from functions.package import Package, open_package, read_stored
from functions.requirements import REQUIREMENTS
from host.deployment.sources import find_bases, find_model

HINT = "list it under `requirements`, in the config or in the package's requirements.txt"


def package_faults(config: Config, env: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with the packages on this machine; those at addresses are not fetched.

    They are those that the config names by path, and those below PYBOOT_HOME in `env`.
    """
    home = Path(env["PYBOOT_HOME"]).expanduser() if env.get("PYBOOT_HOME") else None
    base_of = find_bases(config)
    for index, func in enumerate(config.funcs):
        package = func.package or find_model(home, func.model_name)
        if package is None or func.entry is not None:
            continue
        path = f"funcs[{index}].{'package' if func.package else 'modelName'}"
        try:
            base = base_of(func.model_name).requirements
            yield from _lacking(path, package, base, Limits.of(config.limits))
        except (PackageError, OSError) as error:
            yield Fault(path, str(error))


def _lacking(path: str, package: Path, base: tuple[str, ...], limits: Limits) -> Iterator[Fault]:
    if not package.exists():
        yield Fault(path, f"there is no {package}")
    elif package.is_dir():
        yield from _imports(path, read_stored(package, ""), base)
    else:
        with TemporaryDirectory() as folder:
            yield from _imports(path, open_package(package, Path(folder) / "package", limits), base)


def _imports(path: str, package: Package, base: tuple[str, ...]) -> Iterator[Fault]:
    """A package that says itself what it needs is believed: what that brings along is not known here."""
    if package.requirements or package.wheels or (package.root / REQUIREMENTS).exists():
        return
    for each in missing_imports(package.root, base):
        told = f"{each.where} imports {each.module}, which nothing provides"
        yield Fault(path, told, HINT.replace("it", each.distribution, 1))
