"""What can be known of a package's environment and pickles before there is a host."""

from pathlib import Path

from conf.models import Config
from functions.base_set import BaseSet, narrow
from functions.installed import foresee
from functions.package import Package
from host.deployment.inspection import Inspection, compare, inspect_package, judge
from host.deployment.sources import find_bases, pickle_policy


def base_for(package: Package, name: str, config: Config) -> BaseSet:
    """What the config gives to the package beside what it says itself."""
    return narrow(find_bases(config)(name), package.root, package.manifest)


def inspect_before(package: Package, base: BaseSet, config: Config) -> Inspection:
    """What stands in it, held against what it pins and against the config's policy for pickles."""
    inspection = inspect_package(package, base)
    own = (package.root, *map(Path, package.manifest.python_path))
    foreseen = foresee(inspection.requirements, package.wheels, inspection.python, own)
    return judge(compare(inspection, foreseen), pickle_policy(config))
