"""Removes leftovers of the code that built a graph: parts of shapes that nothing uses, and identities that only name a
result."""

from ...ops import OPS
from ...ops.named import IDENTITY
from ...record import replace
from ..draft import CallPiece, Draft, IndexPiece, Produced
from ..graph import SWITCHES, VARIABLES, Endpoint, SavedGraph
from .saver import EXPORTS

_GIVEN = ("Const", "TensorListReserve", "EmptyTensorList", "TensorListFromTensor")  # they compute nothing
# Ops that only read a variable, or the shape of a tensor.
_LOOKS = ("Shape", "ShapeN", "Rank", "Size", "ReadVariableOp", *VARIABLES)
# Ops that only split or combine the results of those.
_PARTS = ("Identity", "Unpack", "StridedSlice", "Slice", "Pack", "ConcatV2", "Cast", "ExpandDims", "Squeeze", "Prod")


def is_leftover(graph: SavedGraph, name: str) -> bool:
    """Whether a node without users says nothing about the model."""
    if graph.nodes[name].op in (*_GIVEN, *EXPORTS) or graph.passes_condition(name) or _is_condition(graph, name):
        return True
    todo, looks = [name], False
    while todo:
        node = graph.nodes[todo.pop()]
        if node.op in _LOOKS:
            looks = True
        elif node.op in _PARTS:
            todo += [end.node for end in node.inputs]
        elif node.op != "Const":
            return False
    return looks


def _is_condition(graph: SavedGraph, name: str) -> bool:
    """Whether a node is the identity of a condition that `tf.cond` makes for its Switch ops, of which it has none."""
    node, scope = graph.nodes[name], name.removesuffix("pred_id")
    if node.op != "Identity" or scope == name:
        return False
    return any(user.startswith(scope) and graph.nodes[user].op in SWITCHES for user in graph.users[node.inputs[0].node])


def fold_outputs(draft: Draft) -> None:
    """Give a value the name of the identity that passes it on at the end of the graph."""
    named = {draft.end(end) for one in draft.graph.signatures.values() for end in one.outputs.values()}
    for piece in list(draft.pieces.values()):
        match piece:
            case CallPiece(callee=IDENTITY.name, arguments=((_, Produced(end)),), controls=()):
                made = draft.pieces.get(draft.end(end).node)
                if made is not None and not draft.graph.users[piece.node] and made.ends[0] not in named:
                    _fold_output(draft, piece.node, made)
            case _:
                pass


def _fold_output(draft: Draft, name: str, made: object) -> None:
    """Put the piece that makes a value in the place of the identity after it."""
    match made:
        case IndexPiece(ends=(_,)) | CallPiece(ends=(_,)) if draft.regions.get(made.node) == draft.regions.get(name):
            if isinstance(made, CallPiece) and made.callee not in OPS:
                return  # the results of a raw call have names by its node
            end = Endpoint(name)
            del draft.pieces[made.node]
            draft.pieces[name] = replace(made, node=name, ends=(end,))
            draft.inside[made.node] = name
            draft.aliases[made.ends[0]] = end
        case _:
            pass
