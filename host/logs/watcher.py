"""Says in the host's own log what observers are told and an operator should know without asking."""

import logging

from runtime.observations import End, Observer
from runtime.scaling.decisions import Decision
from runtime.spec import PoolSpec

logger = logging.getLogger(__name__)


class LogWatcher(Observer):
    """Instances that die, and functions that are kept from having the instances that they need."""

    def stopped(self, spec: PoolSpec, end: End) -> None:
        """One that was retired or killed had its reason told elsewhere."""
        if end == "died":
            fields = {"event": "instance.died", **spec.fields}
            logger.warning("an instance of %s died; its log says more", spec.label, extra=fields)

    def decided(self, spec: PoolSpec, decision: Decision) -> None:
        """What `fnhost why` shows as well."""
        if decision.held_back:
            fields = {"event": "scaling.held_back", **spec.fields, "why": decision.why}
            logger.warning("%s: %s", spec.label, decision.sentence, extra=fields)
