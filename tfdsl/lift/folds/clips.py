"""Folds gradients that are clipped between the loss and the step of an optimizer: `clipnorm` and `global_clipnorm` are
arguments of the optimizer. So is `clipvalue` where gradients are rows of a table."""

import functools
from collections.abc import Iterable, Sequence

from ...ops.named import CLIP_BY_GLOBAL_NORM, CLIP_BY_NORM, GRADIENTS
from ...ops.optimizers import SUM_SLICES
from ...record import Record, replace
from ..constants import constant_value, plain, type_text, value_text
from ..draft import (
    CallPiece,
    Draft,
    Given,
    IndexPiece,
    LiftedPiece,
    NotFolded,
    Operand,
    Produced,
    StepPiece,
)
from ..graph import GRADIENTS_SCOPE, Endpoint, GraphNode
from ..unfolded import UnfoldedPart
from .composites import Same, built, type_of
from .conds import is_gradient
from .operands import operand
from .optimizers import claim_gradients

_ADDS, _MUL, _MINIMUM = ("Add", "AddV2"), "Mul", "Minimum"
_CHOICES = ("Select", "SelectV2")


class _Clipped(Record):
    """How gradients are clipped: the arguments of the optimizer, the gradients before, and all nodes in between."""

    arguments: tuple[tuple[str, Operand], ...]
    gradients: tuple[Endpoint, ...]
    inside: frozenset[str]


def fold_clips(draft: Draft) -> None:
    for piece in list(draft.pieces.values()):
        if isinstance(piece, StepPiece) and piece.gradients and piece.node not in draft.closed:
            clipped = _each(draft, piece) or _together(draft, piece) or _by_value(draft, piece)
            if piece.rows:
                _fold_rows(draft, piece, clipped)
                continue
            whole = None if clipped is None else _gradients(draft, piece, clipped)
            if clipped is not None and whole is not None:
                _fold(draft, piece, clipped, whole)


def _refusal(draft: Draft, step: StepPiece) -> NotFolded:
    """The error for gradients of rows that are changed in another way. A program has no name for them."""
    reason = f"{step.node} changes the gradients of rows"
    nodes = frozenset(name for name in draft.inside if draft.owner(name) == step.node)
    return NotFolded(reason, UnfoldedPart(draft.folded[step.node], nodes, "", reason))


def _fold(draft: Draft, step: StepPiece, clipped: _Clipped, whole: list[LiftedPiece]) -> None:
    draft.pieces[step.node] = replace(step, gradients=(), arguments=(*step.arguments, *clipped.arguments))
    for name in (*clipped.inside, *(one.node for one in whole)):
        draft.pieces.pop(name, None)
        draft.inside[name] = step.node


def _fold_rows(draft: Draft, step: StepPiece, clipped: _Clipped | None) -> None:
    """Fold gradients some of which are rows of a table. Where other nodes read them, before or after they are clipped,
    the program computes them again."""
    if clipped is None or clipped.gradients != tuple(map(draft.end, step.unchanged)):
        raise _refusal(draft, step)
    graph = draft.graph
    scope = GRADIENTS_SCOPE.match(step.unchanged[0].node)
    start = scope[0] if scope else ""
    taken = {name for name in graph.nodes if name in clipped.inside or name.startswith(start)}

    @functools.cache
    def is_own(name: str) -> bool:
        """Whether a node is only used by the step."""
        users = graph.users[name]
        is_passed = name in draft.dropped or (graph.nodes[name].op == "Identity" and bool(users))
        return draft.owner(name) == step.node or ((name in taken or is_passed) and all(map(is_own, users)))

    own = {name for name in taken if is_own(name)}
    read = {
        end: x for end, x in step.read
        if not all(is_own(user) for user in graph.users[end.node] if end in graph.nodes[user].inputs)
    }  # fmt: skip
    draft.pieces[step.node] = replace(step, gradients=(), arguments=(*step.arguments, *clipped.arguments), read=())
    for name in own:
        draft.pieces.pop(name, None)
        draft.inside[name] = step.node
    if read and isinstance(step.loss, Produced):
        claim_gradients(draft, [step.loss.end], list(read.values()), list(read), {*own})


def _clipped(
    draft: Draft, step: StepPiece, argument: str, limit: Given, clipped: Sequence[Endpoint], inside: Iterable[str]
) -> _Clipped | None:
    """Gradients that are clipped, perhaps after the slices of each row were added up. None if this is done for some
    rows only."""
    summed = {end: _summed(draft, end) for end in clipped}
    gradients = tuple(one.inputs[0] if one is not None else end for end, one in summed.items())
    kinds = {summed[end] is not None for end, gradient in zip(clipped, gradients) if gradient in step.rows}
    if len(kinds) > 1:
        return None
    nodes = {*inside}
    for one in summed.values():
        nodes |= set() if one is None else {one.name, *(end.node for end in one.inputs[1:])}
    unsummed = ((SUM_SLICES, Given(False, "")),) if kinds == {False} else ()
    return _Clipped(((argument, limit), *unsummed), gradients, frozenset(nodes))


def _summed(draft: Draft, end: Endpoint) -> GraphNode | None:
    """The node that adds up the slices of each row of a gradient, if this is its result."""
    node = draft.graph.nodes[end.node]
    is_sum = node.op == "UnsortedSegmentSum" and draft.graph.input(node, 1).op == "Unique" and draft.is_open(node.name)
    return node if is_sum else None


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
    if not step.rows and any(
        not is_gradient(draft, user) and user not in inside for one in calls for user in draft.graph.users[one.node]
    ):
        return None
    ends = tuple(draft.end(one.end) for one in gradients if isinstance(one, Produced))
    return _clipped(draft, step, "clipnorm", limit, ends, inside) if len(ends) == len(gradients) else None


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
    found = _clipped(draft, step, "global_clipnorm", limit, gradients, same.nodes)
    return found if found is not None and (step.rows or _is_apart(draft, found.inside, step)) else None


def _by_value(draft: Draft, step: StepPiece) -> _Clipped | None:
    """Gradients whose elements are clipped one by one, some of them of rows. Others can also be written with a call for
    each gradient."""
    limits: list[Given] = []
    gradients: list[Endpoint] = []
    inside: set[str] = set()
    for one in step.gradients if step.rows else ():
        node = _passed(draft, draft.end(one.end)) if isinstance(one, Produced) else None
        if node is not None and node.op in _CHOICES:  # NaN stays NaN
            inside |= {node.name, node.inputs[0].node}
            node = _passed(draft, draft.end(node.inputs[2]))
        inner = draft.graph.input(node, 0) if node is not None and node.op == "Maximum" else None
        if node is None or inner is None or inner.op != _MINIMUM:
            return None
        low, high = (operand(draft, two.inputs[1]) for two in (node, inner))
        match low, high:
            case Given(value=float(least)), Given(value=float(most)) if least == -most:
                limits.append(high)
            case _:
                return None
        gradients.append(draft.end(inner.inputs[0]))
        inside |= {node.name, inner.name}
    if not limits or any(one != limits[0] for one in limits) or not all(map(draft.is_open, inside)):
        return None
    return _clipped(draft, step, "clipvalue", limits[0], gradients, inside)


def _is_apart(draft: Draft, inside: frozenset[str], step: StepPiece) -> bool:
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
