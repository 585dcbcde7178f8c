"""Makes the pools of revisions, each with what the config says of its function by now."""

from dataclasses import replace

from functions.registry import Revision
from host.deployment.additions import Additions
from host.deployment.deployed import Deployed
from host.deployment.specs import least_instances, make_spec
from host.state import StateDir
from runtime.boot import BootError
from runtime.events import UnavailableError
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.scaler import Scaler
from runtime.spec import PoolSpec


class PoolMaker:
    """`additions` are the config's; they may be replaced with it.

    The pools are cold. Without a folder for the function's output there is none, but an OSError; without a
    secret that its manifest names, a BootError.
    """

    def __init__(self, state: StateDir, workshop: Workshop, scaler: Scaler, additions: Additions) -> None:
        self.additions = additions
        self._state = state
        self._workshop = workshop
        self._scaler = scaler

    def make(self, revision: Revision, deployed: Deployed | None) -> Pool:
        """A pool for a revision that is live, or shall be once it has started."""
        spec = self._spec(revision)
        return Pool(spec, self._workshop, self._scaler, fixed_count(deployed, spec))

    def make_for_event(self, deployed: Deployed, number: int) -> Pool:
        """A pool for one of its ready revisions; raises UnavailableError when there can be none now."""
        revision = deployed.revisions[number]
        try:
            if number == deployed.live:
                return self.make(revision, deployed)
            return Pool(self.spare_spec(revision), self._workshop, self._scaler)
        except OSError as error:
            raise UnavailableError(
                f"{deployed.name}@{number} cannot have its folder: {error}; see `fnhost doctor`"
            ) from error
        except BootError as error:
            raise UnavailableError(str(error)) from error

    def spare_spec(self, revision: Revision) -> PoolSpec:
        """What a revision runs with that is not live: it is started when it is asked for, and not kept."""
        spec = self._spec(revision)
        return replace(spec, scale=replace(spec.scale, min=0))

    def is_kept_hot(self, deployed: Deployed) -> bool:
        """Whether the live revision has instances also while no event comes."""
        if deployed.live is None or deployed.instances is not None:
            return bool(deployed.live and deployed.instances)
        return least_instances(deployed.revisions[deployed.live], self.additions.funcs.get(deployed.name)) > 0

    def _spec(self, revision: Revision) -> PoolSpec:
        return make_spec(revision, self._state, self.additions)


def fixed_count(deployed: Deployed | None, spec: PoolSpec) -> int | None:
    """How many instances a person has told a function to have, as far as its bounds go; None: nobody did."""
    told = deployed.instances if deployed else None
    return None if told is None else min(told, spec.scale.max)
