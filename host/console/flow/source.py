"""The channel `flow`: the picture once, then each second what has come to it."""

from typing import Any

from host.console.flow.drawing import draw
from host.console.flow.growth import Growth
from host.console.flow.sight import Looker
from host.console.flow.stuck import find_stuck
from host.console.live.source import Source


class FlowSource(Source):
    """Tells totals, of which pages make rates; the shape only where it is another than before."""

    name = "flow"

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._growth = Growth()
        self._told: dict[str, Any] = {}

    def closed(self, item: str) -> None:
        """Forget what was told."""
        self._growth, self._told = Growth(), {}

    def begin(self, item: str) -> Any:
        """All of it."""
        told = self.look()
        self._told = self._told or told
        return told

    def tell(self, item: str) -> Any:
        """The totals that are others than a second ago by the place of their edge; the rest where it is."""
        before, now = self._told, self.look()
        self._told = now
        told = {name: now[name] for name in ("shape", "stuck", "left_out") if now[name] != before[name]}
        if "shape" in told:
            return now
        pairs = enumerate(zip(now["totals"], before["totals"], strict=True))
        grown = {str(place): total for place, (total, earlier) in pairs if total != earlier}
        return {"at": now["at"], "grown": grown, **told}

    def look(self) -> dict[str, Any]:
        """The whole picture as JSON has it."""
        sight = self._looker.look()
        graph = draw(sight)
        stuck = [vars(each) for each in find_stuck(sight, self._growth)]
        told = {"at": sight.at, "left_out": sight.left_out, "rules": len(sight.rules)}
        return {**told, "shape": graph.shape, "totals": graph.totals, "stuck": stuck}
