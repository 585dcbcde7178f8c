"""The picture as nodes and edges: which way events may go, and how many have gone it so far."""

from dataclasses import dataclass
from typing import Any

SOURCE, TOPIC, RULE, FUNCTION, TARGET, BROKER = range(6)
"""The columns of the picture, from left to right."""


@dataclass(frozen=True)
class Node:
    """One place that events pass; `id` is its kind and its name.

    `label` is a name of the config or of the host, and empty where the page has a word for the kind;
    `detail` says more of it.
    """

    id: str
    kind: str
    column: int
    label: str = ""
    detail: str = ""


class Graph:
    """Nodes by id; edges by the ids at their ends, each with a total that only goes up."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], int] = {}

    def add(self, node: Node) -> str:
        """Have this node; returns its id."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def join(self, source: str, target: str, total: int) -> None:
        """So many went this way; what is said of one edge is added up."""
        self.edges[source, target] = self.edges.get((source, target), 0) + total

    @property
    def shape(self) -> dict[str, Any]:
        """All but the totals, as JSON has it: an edge is the places of its ends in `nodes`."""
        places = {name: place for place, name in enumerate(self.nodes)}
        return {
            "nodes": [vars(node) for node in self.nodes.values()],
            "edges": [[places[source], places[target]] for source, target in self.edges],
        }

    @property
    def totals(self) -> list[int]:
        """In the order of the edges."""
        return list(self.edges.values())
