"""Random tensors: a draw, times a number, plus a number, is one call."""

from ...ops import OPS
from ...ops.lifted import lifted_call
from ..constants import attribute, frozen
from ..draft import CallPiece, Draft, Given, Operand
from ..graph import Endpoint, GraphNode
from .operands import operand

_NORMAL = ("RandomStandardNormal", "TruncatedNormal")
_UNIFORM = ("RandomUniform",)
_ADDS, _MUL, _SUB = ("Add", "AddV2"), "Mul", "Sub"


def fold_random(draft: Draft) -> None:
    for node in list(draft.nodes(*_NORMAL, *_UNIFORM)):
        scaled = _only_user(draft, node, (_MUL,))
        shifted = _only_user(draft, scaled, _ADDS) if scaled is not None else None
        if scaled is None or shifted is None or scaled.inputs[0].node != node.name:
            continue
        if shifted.inputs[0].node != scaled.name:
            continue
        factor, offset = scaled.inputs[1], shifted.inputs[1]
        given: dict[str, Operand] = {"shape": operand(draft, node.inputs[0])}
        inside = [node.name, scaled.name]
        if node.op in _NORMAL:
            given |= {"mean": operand(draft, offset), "stddev": operand(draft, factor)}
        else:
            span = draft.graph.nodes[factor.node]
            if span.op != _SUB or span.inputs[1] != offset:
                continue
            given |= {"minval": operand(draft, offset), "maxval": operand(draft, span.inputs[0])}
            inside.append(span.name)
        draft.claim(_random(draft, node, shifted, given), *inside)


def _random(draft: Draft, node: GraphNode, last: GraphNode, given: dict[str, Operand]) -> CallPiece:
    call = lifted_call(node.op)
    assert call is not None
    given["dtype"] = Given(attribute(node.attrs["dtype"]), "")
    given["seed"] = seed_of(draft, node) or Given(None, "")
    kept: list[tuple[str, Operand]] = []
    for param in OPS[call.op.name].params:
        value = given.get(param.name)
        if value is not None and not (isinstance(value, Given) and _is_default(param.default, value)):
            kept.append((param.name, value))
    return CallPiece(last.name, (Endpoint(last.name),), last.controls, callee=call.op.name, arguments=tuple(kept))


def seed_of(draft: Draft, node: GraphNode) -> Given | None:
    """The seed of an op that draws, or None for other ops."""
    if "seed2" not in node.attrs:
        return None
    graph, own = node.attrs["seed"].i, node.attrs["seed2"].i
    if graph or own:
        draft.seeds.add(graph)
    return Given(own if graph or own else None, "")


def _is_default(default: object, value: Given) -> bool:
    return str(default) == value.value if isinstance(value.value, str) else frozen(default) == value.value


def _only_user(draft: Draft, node: GraphNode, ops: tuple[str, ...]) -> GraphNode | None:
    users = draft.graph.users[node.name]
    if len(users) != 1 or draft.graph.nodes[users[0]].op not in ops or not draft.is_open(users[0]):
        return None
    return draft.graph.nodes[users[0]]
