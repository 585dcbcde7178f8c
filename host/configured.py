"""Deploys the packages that the config names, each time the host starts; unchanged ones cost a digest."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from conf.models import Func
from functions.errors import PackageError
from functions.package import pack_folder
from host.deployer import Deployer, DeployError, Line, Names
from host.state import StateDir

logger = logging.getLogger(__name__)


class ConfiguredPackages:
    """`funcs[].package` of the config; `done` is set once each was tried."""

    def __init__(self, funcs: Mapping[str, Func], state: StateDir, deployer: Deployer) -> None:
        self._funcs = funcs
        self._state = state
        self._deployer = deployer
        self.done = asyncio.Event()

    async def deploy_all(self) -> None:
        """One after the other; one that fails is logged and does not hold up the rest."""
        for name, func in self._funcs.items():
            if func.package is not None:
                try:
                    await self._deploy(name, func.package)
                except (PackageError, DeployError, OSError) as error:
                    logger.error("%s is not deployed from %s: %s", name, func.package, error)
        self.done.set()

    async def _deploy(self, name: str, package: Path) -> None:
        is_folder = await asyncio.to_thread(package.is_dir)
        packed = self._state.staging / f"configured-{name}.zip" if is_folder else None
        if packed is not None:
            await asyncio.to_thread(pack_folder, package, packed)
        try:
            prepared = await self._deployer.prepare(packed or package, Names(asked=name))
            done = await self._deployer.deploy(prepared, _log_step)
        finally:
            if packed is not None:
                await asyncio.to_thread(packed.unlink, missing_ok=True)
        if not done["unchanged"]:
            logger.info("%s@%s is deployed from %s", name, done["revision"], package)


def _log_step(line: Line) -> None:
    if line["type"] == "step":
        logger.info("%s: %s", line["step"], line["message"])
