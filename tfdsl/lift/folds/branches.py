"""Folds branches of TensorFlow 1 whose condition is known. The branch that runs stays, without its Switch and Merge;
the other one is dropped. This also removes the guards of assertions that always hold."""

from ..draft import Draft
from ..graph import Endpoint, GraphNode
from .shapes import value_in_branch

_SWITCH, _MERGE, _NEXT = "Switch", "Merge", "NextIteration"


def fold_branches(draft: Draft) -> None:
    _Branches(draft).fold()


class _Branches:
    """The nodes and the outputs of Switch ops that never run."""

    def __init__(self, draft: Draft):
        self._draft = draft
        self._nodes: set[str] = set()
        self._ends: set[Endpoint] = set()

    def fold(self) -> None:
        for node in self._draft.graph.nodes.values():
            if self._draft.is_open(node.name):
                self._fold(node)

    def _fold(self, node: GraphNode) -> None:
        if node.op == _MERGE:
            self._fold_merge(node)
        elif any(map(self._is_dead, node.inputs)) or any(name in self._nodes for name in node.controls):
            self._drop(node)
        elif node.op == _SWITCH and (taken := self._known(node.inputs[1])) is not None:
            self._ends.add(Endpoint(node.name, 1 - taken))
            self._draft.aliases[Endpoint(node.name, int(taken))] = node.inputs[0]
            self._draft.dropped.add(node.name)

    def _fold_merge(self, node: GraphNode) -> None:
        living = [end for end in node.inputs if not self._is_dead(end)]
        if not living:
            self._drop(node)
        elif len(living) == 1 and not any(self._draft.graph.nodes[end.node].op == _NEXT for end in node.inputs):
            self._draft.aliases[Endpoint(node.name)] = living[0]
            self._draft.dropped.add(node.name)

    def _is_dead(self, end: Endpoint) -> bool:
        return end in self._ends or end.node in self._nodes

    def _drop(self, node: GraphNode) -> None:
        self._nodes.add(node.name)
        self._draft.dropped.add(node.name)

    def _known(self, end: Endpoint) -> bool | None:
        """The value of a condition, if it is known."""
        value = value_in_branch(self._draft, end)
        return None if value is None else bool(value)
