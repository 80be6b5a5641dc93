"""Finds the nodes of a graph that outputs need."""

from collections.abc import Iterable, Mapping

from ..lowering.tf import NodeDef
from .graph import ASSIGNS, PLACEHOLDERS, RESTORES, VARIABLES, Endpoint, reached

Links = tuple[tuple[Endpoint, ...], tuple[str, ...]]  # inputs and control inputs


def needed_by(
    outputs: Iterable[str], nodes: Mapping[str, NodeDef], links: Mapping[str, Links], with_initializers: bool
) -> set[str]:
    """The nodes that these nodes need, perhaps with the initializers of the variables among them."""

    def above(name: str) -> list[str]:
        inputs, controls = links[name]
        own = [*(one.node for one in inputs), *controls]
        return [*own, *initializers.get(name, ())] if with_initializers else own

    initializers: dict[str, list[str]] = {}
    for name, node in nodes.items():
        if node.op in ASSIGNS and len(links[name][0]) == 2:
            variable, value = links[name][0]
            if name.startswith(f"{variable.node}/") or not _depends(value.node, nodes, links):
                initializers.setdefault(variable.node, []).append(name)
    return reached(outputs, above)


def _depends(name: str, nodes: Mapping[str, NodeDef], links: Mapping[str, Links]) -> bool:
    """Whether a value depends on variables, on what is fed, or on a checkpoint."""
    above = reached([name], lambda one: (end.node for end in links[one][0]))
    return any(nodes[one].op in (*VARIABLES, *PLACEHOLDERS, *RESTORES) for one in above)
