"""Drops ops in branches and loops that change something but never run: nothing outside of them needs the ops."""

from ...diagnostics.spelling import listed
from ..draft import Draft, changes_something
from ..graph import GRADIENTS_SCOPE, NAMED
from .conds import contexts


def drop_unrun(draft: Draft) -> None:
    graph, inside = draft.graph, contexts(draft)
    kept = {draft.end(end).node for end in draft.aliases} | draft.served
    run = graph.above(*(name for name in graph.nodes if name not in inside or name in kept))
    unrun = [name for name in inside if name not in run and changes_something(graph.nodes[name])]
    draft.dropped |= {name for name in graph.below(*unrun) if draft.is_open(name)}
    acting = [name for name in unrun if not GRADIENTS_SCOPE.match(name)]
    if acting:
        draft.notes.append(
            f"left out: {listed(acting, NAMED)}, which no run of the graph reaches: nothing outside their branches and "
            "loops needs them"
        )
