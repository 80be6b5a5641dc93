"""Folds gradients that are clipped between the loss and the step of an optimizer: `clipnorm` and `global_clipnorm` are
arguments of the optimizer."""

from ...ops.named import CLIP_BY_GLOBAL_NORM, CLIP_BY_NORM, GRADIENTS
from ...record import Record, replace
from ..constants import constant_value, plain, type_text, value_text
from ..draft import CallPiece, Draft, Given, IndexPiece, LiftedPiece, Produced, StepPiece
from ..graph import Endpoint, GraphNode
from .composites import Same, built, type_of
from .conds import is_gradient

_ADDS, _MUL, _MINIMUM = ("Add", "AddV2"), "Mul", "Minimum"


class _Clipped(Record):
    """How gradients are clipped: the argument of the optimizer, the gradients before, and all nodes in between."""

    argument: str
    limit: Given
    gradients: tuple[Endpoint, ...]
    inside: frozenset[str]


def fold_clips(draft: Draft) -> None:
    for piece in list(draft.pieces.values()):
        if isinstance(piece, StepPiece) and piece.gradients and piece.node not in draft.closed:
            clipped = _each(draft, piece) or _together(draft, piece)
            whole = None if clipped is None else _gradients(draft, piece, clipped)
            if clipped is not None and whole is not None:
                _fold(draft, piece, clipped, whole)


def _fold(draft: Draft, step: StepPiece, clipped: _Clipped, whole: list[LiftedPiece]) -> None:
    arguments = (*step.arguments, (clipped.argument, clipped.limit))
    draft.pieces[step.node] = replace(step, gradients=(), arguments=arguments)
    for name in (*clipped.inside, *(one.node for one in whole)):
        draft.pieces.pop(name, None)
        draft.inside[name] = step.node


def _gradients(draft: Draft, step: StepPiece, clipped: _Clipped) -> list[LiftedPiece] | None:
    """The pieces of the gradients, if they are those of the loss of the step and nothing else uses them."""
    pieces = {draft.owner(end.node): draft.pieces.get(draft.owner(end.node)) for end in clipped.gradients}
    found = [one for one in pieces.values() if one is not None]
    parts = [one for one in found if isinstance(one, IndexPiece)]
    calls = [draft.pieces[draft.owner(end.node)] for one in parts for end in _ends(one)] + [
        one for one in found if one not in parts
    ]
    match calls:
        case [CallPiece(callee=GRADIENTS.name, arguments=(("ys", ys), _)) as call] if ys == step.loss:
            ends = clipped.gradients if parts else call.ends
            used = {user for end in ends for user in _users(draft, end)} - clipped.inside
            return [*parts, call] if ends == clipped.gradients and not used else None
        case _:
            return None


def _ends(piece: IndexPiece) -> list[Endpoint]:
    return [piece.x.end] if isinstance(piece.x, Produced) else []


def _users(draft: Draft, end: Endpoint) -> list[str]:
    users = [draft.graph.nodes[name] for name in draft.graph.users[end.node]]
    return [one.name for one in users if end in map(draft.end, one.inputs) and not is_gradient(draft, one.name)]


def _each(draft: Draft, step: StepPiece) -> _Clipped | None:
    """Gradients that are clipped one by one."""
    calls: list[CallPiece] = []
    for one in step.gradients:
        made = draft.pieces.get(draft.end(one.end).node) if isinstance(one, Produced) else None
        if not isinstance(made, CallPiece) or made.callee != CLIP_BY_NORM.name or made.controls:
            return None
        calls.append(made)
    given = [dict(one.arguments) for one in calls]
    (limit, *others), gradients = [one["clip_norm"] for one in given], [one["t"] for one in given]
    if not isinstance(limit, Given) or any(one != limit for one in others) or any("axes" in one for one in given):
        return None
    inside = {name for name in (*draft.inside, *draft.pieces) for one in calls if draft.owner(name) == one.node}
    if any(
        not is_gradient(draft, user) and user not in inside for one in calls for user in draft.graph.users[one.node]
    ):
        return None
    ends = tuple(draft.end(one.end) for one in gradients if isinstance(one, Produced))
    return _Clipped("clipnorm", limit, ends, frozenset(inside)) if len(ends) == len(gradients) else None


def _together(draft: Draft, step: StepPiece) -> _Clipped | None:
    """Gradients that are clipped by the norm of all of them."""
    clipped = [draft.end(one.end) for one in step.gradients if isinstance(one, Produced)]
    nodes = [_passed(draft, end) for end in clipped]
    if len(nodes) != len(step.gradients) or any(one.op != _MUL or not draft.is_open(one.name) for one in nodes):
        return None
    gradients = tuple(draft.end(one.inputs[0]) for one in nodes)
    limit = _limit(draft, nodes[0])
    if limit is None or len({draft.end(one.inputs[1]) for one in nodes}) > 1:
        return None
    names = [f"g{at}" for at in range(len(gradients))]
    call = f"{CLIP_BY_GLOBAL_NORM.name}([{', '.join(names)}], {value_text(limit.value, limit.dtype)})"
    declared = {name: type_text(type_of(draft, end)) for name, end in zip(names, gradients)}
    made, same = built(call, declared, ("clipped", "whole")), Same(draft, dict(zip(names, gradients)))
    if made is None or not all(same.are(one, end) for one, end in zip(made, clipped)):
        return None
    if not _is_apart(draft, same.nodes, step):
        return None
    return _Clipped("global_clipnorm", limit, gradients, frozenset(same.nodes))


def _is_apart(draft: Draft, inside: set[str], step: StepPiece) -> bool:
    """Whether nothing but the step uses these nodes, perhaps through identities."""

    def is_own(name: str) -> bool:
        users = draft.graph.users[name]
        is_passed = draft.graph.nodes[name].op == "Identity" and bool(users) and all(map(is_own, users))
        return name in inside or draft.owner(name) == step.node or is_passed

    return all(is_own(user) for name in inside for user in draft.graph.users[name])


def _passed(draft: Draft, end: Endpoint) -> GraphNode:
    node = draft.graph.nodes[end.node]
    while node.op == "Identity":
        node = draft.graph.nodes[draft.end(node.inputs[0]).node]
    return node


def _limit(draft: Draft, product: GraphNode) -> Given | None:
    """The number in the place of the largest norm."""
    factor = _passed(draft, draft.end(product.inputs[1]))
    if factor.op in _ADDS:
        factor = _passed(draft, draft.end(factor.inputs[0]))
    if factor.op != _MUL or draft.graph.input(factor, 1).op != _MINIMUM:
        return None
    value = constant_value(draft.graph.input(factor, 0))
    return None if value is None or value.shape else Given(plain(value), value.dtype.name)
