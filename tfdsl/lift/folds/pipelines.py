"""Drops input pipelines. Placeholders have replaced the tensors that the rest of the graph takes from them."""

from collections.abc import Iterator

from ...diagnostics.spelling import counted, listed
from ..draft import Draft
from ..graph import ASSIGNS, NAMED, VARIABLES, GraphNode, reached
from ..pipelines import MERGE, is_in_pipeline, is_pipeline
from .saver import INITIALIZED
from .variables import READS


def drop_pipelines(draft: Draft) -> None:
    """Drop the nodes of input pipelines, what is computed from them, and everything that only they need."""
    graph = draft.graph
    own = [node for node in graph.nodes.values() if is_in_pipeline(node)]
    if not own:
        return
    gone = reached([node.name for node in own], lambda name: _below(draft, name))
    count = 0
    while count < len(gone):
        count = len(gone)
        for node in reversed(list(graph.nodes.values())):
            if node.name not in gone and _is_for(draft, node, gone):
                gone |= {node.name, *graph.users[node.name]} if node.op in VARIABLES else {node.name}
    draft.dropped |= gone
    holders = [node.name for node in own if not any(map(is_pipeline, _ops_above(draft, node)))]
    draft.notes.append(f"left out: the input pipeline, {counted(len(gone), 'node')} such as {listed(holders, NAMED)}")


def _ops_above(draft: Draft, node: GraphNode) -> list[str]:
    return [draft.graph.nodes[end.node].op for end in node.inputs]


def _below(draft: Draft, name: str) -> Iterator[str]:
    """The nodes that read a node. Nodes that merge summaries go on with the other summaries."""
    for user in draft.graph.users[name]:
        node = draft.graph.nodes[user]
        if node.op != MERGE and any(end.node == name for end in node.inputs):
            yield user


def _is_for(draft: Draft, node: GraphNode, gone: set[str]) -> bool:
    """Whether only dropped nodes need a node. A variable can also have an initializer and a check."""
    users = [draft.graph.nodes[user] for user in draft.graph.users[node.name] if user not in draft.dropped]
    others = [one for one in users if one.name not in gone]
    if node.op in VARIABLES:
        others = [one for one in others if not _is_initial(draft, node, one)]
    return len(users) > len(others) == 0 and any(one.name in gone for one in users)


def _is_initial(draft: Draft, variable: GraphNode, user: GraphNode) -> bool:
    """Whether a user of a variable only initializes, reads or checks it, for nobody else."""
    known = user.op in (*INITIALIZED, *READS) or (user.op in ASSIGNS and user.inputs[0].node == variable.name)
    return known and all(draft.graph.nodes[name].op == "NoOp" for name in draft.graph.users[user.name])
