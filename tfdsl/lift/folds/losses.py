"""Folds the softmax cross entropy. TensorFlow reshapes logits and labels to tables, and reshapes the result back."""

from ...ops.lifted import SOFTMAX_LOSSES
from ...types import TensorType
from ..draft import CallPiece, Draft
from ..graph import Endpoint, GraphNode
from .calls import needs_others
from .operands import operand

_RESHAPE, _STOP = "Reshape", "StopGradient"


def fold_losses(draft: Draft) -> None:
    for node in list(draft.nodes("SoftmaxCrossEntropyWithLogits")):
        if needs_others(draft, node):
            continue
        users = [draft.graph.nodes[name] for name in draft.graph.users[node.name]]
        shaped = [one for one in users if one.op == _RESHAPE and one.inputs[0] == Endpoint(node.name)
                  and not draft.graph.nodes[one.name].name.partition("/")[0].startswith("gradients")]  # fmt: skip
        logits, labels = (_unshaped(draft, end) for end in node.inputs)
        last = shaped[0] if len(shaped) == 1 else node
        if last is node and (logits, labels) != node.inputs:
            continue
        stop = draft.graph.nodes[labels.node]
        stops = stop.op == _STOP
        row = SOFTMAX_LOSSES[stops]
        given = (("labels", operand(draft, stop.inputs[0] if stops else labels)), ("logits", operand(draft, logits)))
        inside = {node.name, *(end.node for end in node.inputs if end not in (logits, labels))}
        inside |= {stop.name} if stops else set()
        piece = CallPiece(last.name, (Endpoint(last.name),), last.controls, callee=row.name, arguments=given)
        shape = draft.type(logits).shape
        if shape is not None:
            draft.types[piece.ends[0]] = TensorType(draft.type(logits).dtype, shape[:-1])
        draft.claim(piece, *(inside - {last.name}))


def _unshaped(draft: Draft, end: Endpoint) -> Endpoint:
    """The tensor that a table is made of."""
    node: GraphNode = draft.graph.nodes[end.node]
    return node.inputs[0] if node.op == _RESHAPE else end
