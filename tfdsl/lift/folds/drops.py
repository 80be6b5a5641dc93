"""Drops the parts of a graph that the user leaves out: assertions, summaries, training, dropout."""

from collections.abc import Iterator

from ...diagnostics.spelling import listed
from ...ops.named import DROPOUT
from ..draft import Draft, StepPiece, changes_something, ends_of
from ..graph import ENTERS, GRADIENTS_SCOPE, NAMED, VARIABLES, Endpoint, GraphNode, SavedGraph
from ..options import ASSERT, SUMMARIES, TRAINING

_SUMMARIES = ("ScalarSummary", "HistogramSummary", "ImageSummary", "AudioSummary", "AudioSummaryV2", "TensorSummary",
              "TensorSummaryV2", "MergeSummary")  # fmt: skip
_SCALAR = _SUMMARIES[0]
_GUARD = "/AssertGuard/"  # in the names of the nodes that guard an assertion
_DRAWS = ("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")
_ADDS = ("Add", "AddV2", "Sub", "Mul")
_SCALES = ("RealDiv", "Div", "Mul")
_MUL, _SELECTS, _MERGE, _SWITCH, _IDENTITY = "Mul", ("Select", "SelectV2"), "Merge", "Switch", "Identity"
_FLOOR, _CAST, _COMPARE = "Floor", "Cast", ("GreaterEqual", "Less")
_MOST_ABOVE = 4  # the most ops between a draw and its mask


def drop_asserts(draft: Draft) -> None:
    """Drop assertions, with the branches that guard them."""
    if ASSERT in draft.drop:
        found = [node.name for node in draft.nodes("Assert")]
        guards = {name.partition(_GUARD)[0] + _GUARD for name in found if _GUARD in name}
        inside = {name for name in draft.graph.nodes if name.partition(_GUARD)[0] + _GUARD in guards and _GUARD in name}
        draft.dropped |= inside.union(found)


def drop_summaries(draft: Draft) -> None:
    """Drop summaries and the ops that merge them. Keep the scalars that nothing else reads: they are results."""
    if SUMMARIES not in draft.drop:
        return
    draft.dropped |= {node.name for node in draft.nodes(*_SUMMARIES)}
    graph = draft.graph
    shown = {graph.input(node, 1).name for node in graph.nodes.values() if node.op == _SCALAR}
    draft.served |= {
        name for name in shown
        if draft.is_free(name) and graph.nodes[name].op != "Const" and not GRADIENTS_SCOPE.match(name)
        and all(user in draft.dropped for user in graph.users[name])
    }  # fmt: skip


def drop_dropout(draft: Draft) -> None:
    """Replace the result of each dropout with its input."""
    if DROPOUT.name not in draft.drop:
        return
    for node in draft.nodes(_MUL, *_SELECTS):
        given = _dropped_out(draft, node)
        if given is not None:
            _pass(draft, node, given)
    for node in draft.nodes(_MERGE):
        ways = {_source(draft, end) for end in node.inputs}
        if len(ways) == 1 and None not in ways:  # the other way around the dropout
            (way,) = ways
            _pass(draft, node, way or node.inputs[0])
            draft.dropped |= set(_idle(draft, node.name.rpartition("/")[0] + "/"))


def _idle(draft: Draft, scope: str) -> Iterator[str]:
    """Nodes in a scope that only told which branch runs, and that nothing uses any more."""
    for node in draft.nodes(_IDENTITY):
        is_idle = node.name.startswith(scope) and not draft.graph.users[node.name]
        if is_idle and draft.graph.input(node, 0).op == _SWITCH:
            yield node.name


def _pass(draft: Draft, node: GraphNode, given: Endpoint) -> None:
    draft.aliases[Endpoint(node.name)] = given
    draft.inside[node.name] = given.node


def _dropped_out(draft: Draft, node: GraphNode) -> Endpoint | None:
    """The input of a dropout, if a node is its last op: a product with a random mask, or a selection by it."""
    graph = draft.graph
    if node.op == _MUL:
        ends = [one for one in (node.inputs, node.inputs[::-1]) if _is_mask(draft, one[1], (_FLOOR, _CAST))]
        scaled = graph.nodes[ends[0][0].node] if ends else None
    else:
        scaled = graph.input(node, 1) if _is_mask(draft, node.inputs[0], _COMPARE) else None
    if scaled is None or scaled.op not in _SCALES:
        return None
    first, second = scaled.inputs
    return second if scaled.op == _MUL and draft.type(first).rank == 0 and draft.type(second).rank != 0 else first


def _is_mask(draft: Draft, end: Endpoint, ops: tuple[str, ...]) -> bool:
    """Whether a tensor is a mask of random numbers."""
    node = draft.graph.nodes[end.node]
    todo = [(one.node, 0) for one in node.inputs] if node.op in ops else []
    while todo:
        name, depth = todo.pop()
        op = draft.graph.nodes[name].op
        if op in _DRAWS:
            return True
        if op in (*_ADDS, *_COMPARE) and depth < _MOST_ABOVE:
            todo += [(one.node, depth + 1) for one in draft.graph.nodes[name].inputs]
    return False


def _source(draft: Draft, end: Endpoint) -> Endpoint | None:
    """The input of a Switch, if an endpoint is one of its outputs, perhaps after identities."""
    end = draft.end(end)
    node = draft.graph.nodes[end.node]
    while node.op == _IDENTITY and not draft.waits(node):
        end = draft.end(node.inputs[0])
        node = draft.graph.nodes[end.node]
    return draft.end(node.inputs[0]) if node.op == _SWITCH else None


def drop_training(draft: Draft) -> None:
    """Drop the steps of optimizers, the nodes that need them, and the updates of variables that they wait for, such as
    those of moving averages. Keep the losses."""
    if TRAINING not in draft.drop:
        return
    steps = {name: piece for name, piece in draft.pieces.items() if isinstance(piece, StepPiece)}
    for piece in steps.values():
        draft.served |= {draft.end(end).node for end in ends_of(piece.loss)}
    graph = draft.graph
    kept = graph.above(*(name for name in draft.served if name in graph.nodes))
    waited = {*graph.above(*steps), *graph.collections.get("update_ops", ())} - kept
    updates = {name for name in waited if _is_update(graph, name)} - draft.inside.keys() - draft.pieces.keys()
    if updates:
        draft.notes.append(f"left out: {listed(sorted(updates), NAMED)}, which changes variables in a step of training")
    found = {name for name, owner in draft.inside.items() if owner in steps} | graph.below(*steps, *updates)
    for name in found:
        draft.pieces.pop(name, None)
        draft.inside.pop(name, None)
    draft.dropped |= found


def _is_update(graph: SavedGraph, name: str) -> bool:
    """Whether a node changes a variable."""
    node = graph.nodes.get(name)
    if node is None or not node.inputs or not changes_something(node):
        return False
    return any(graph.nodes[one].op in VARIABLES for one in _passed_by(graph, node))


def _passed_by(graph: SavedGraph, node: GraphNode) -> Iterator[str]:
    """The nodes whose output is passed on as the first input of a node."""
    while node.inputs:
        node = graph.input(node, 0)
        yield node.name
        if node.op not in (_SWITCH, _IDENTITY, *ENTERS):
            return
