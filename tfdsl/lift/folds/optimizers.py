"""Optimizers: the gradients, the ops that change variables, and the slots are one `optimize`, or `gradients` and one
`apply` where something is done to the gradients in between."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from ...ops.lifted import LiftedStep, lifted_step
from ...ops.named import GRADIENTS
from ...ops.optimizers import SLOTS
from ...record import Record
from ..constants import attribute
from ..draft import (
    CallPiece,
    Draft,
    Given,
    IndexPiece,
    Listed,
    NotFolded,
    NotReadable,
    Operand,
    Produced,
    StepPiece,
    VariablePiece,
    changes_something,
    ends_of,
)
from ..graph import GRADIENTS_SCOPE, VARIABLES, Endpoint, GraphNode, SavedGraph
from ..unfolded import UnfoldedPart
from .gradients import check_gradients, nodes_of_gradients
from .operands import operand
from .row_gradients import SUM, only_for, read_gradients, sums_of_slices
from .row_updates import ROW_UPDATES, RowUpdate, row_update
from .sources import differentiated, is_gradient_of, seeds_of
from .variables import fold_variable, initializer_of

_COUNTS = ("AssignAdd", "AssignAddVariableOp")


def fold_optimizers(draft: Draft) -> None:
    groups: dict[str, list[GraphNode]] = defaultdict(list)
    rows: dict[str, list[RowUpdate]] = defaultdict(list)
    for node in draft.graph.nodes.values():
        scope, _, updated = node.name.partition("/update_")
        if not draft.is_open(node.name):
            continue
        if lifted_step(node.op) is not None:
            groups[scope].append(node)
        elif updated and node.op in ROW_UPDATES and (row := row_update(draft.graph, node)) is not None:
            rows[scope].append(row)
    for scope in {**groups, **rows}:
        try:
            _fold_optimizer(draft, scope, groups[scope], rows[scope])
        except NotReadable as error:
            updates = frozenset(node.name for node in (*groups[scope], *(row.node for row in rows[scope])))
            raise NotFolded(str(error), UnfoldedPart(fold_optimizers.__name__, updates, "", str(error))) from None


def _fold_optimizer(draft: Draft, scope: str, updates: list[GraphNode], rows: list[RowUpdate]) -> None:
    graph = draft.graph
    changed = [*(_change(graph, node) for node in updates), *(_change_of_rows(graph, row) for row in rows)]
    changes = [one for one in changed if one is not None]
    changes.sort(key=lambda one: graph.places[one.node.name])  # in the order of the variables
    first = changes[0].step
    if scope not in graph.nodes or len({one.step.optimizer.name for one in changes}) > 1:
        raise NotReadable(f"the updates of {scope} are not a step of one optimizer")
    made = [_summed(draft, scope, one.gradient) for one in changes]
    kept = (name for node in updates for name in slots_of(graph, node))
    slots = list(dict.fromkeys((*kept, *(name for row in rows for name in row.slots))))
    holders = [_holder(draft, one.node.inputs[0]) for one in changes]
    roots = [_gradient(draft, scope, end, one.node.inputs[0]) for end, one in zip(made, changes)]
    dense = [graph.nodes[end.node] for end in roots if end is not None and not GRADIENTS_SCOPE.match(end.node)]
    given_by = (graph.nodes[end.node].inputs[0] if graph.nodes[end.node] in dense else end for end in roots if end)
    scopes = {match[1] for end in given_by if (match := GRADIENTS_SCOPE.match(end.node))}
    if None in holders or None in roots or len(scopes) != 1:
        raise NotReadable(f"the gradients of {scope} are not found")
    (gradients,) = scopes
    loss = loss_of(draft, gradients)
    if loss is None:
        raise NotReadable(f"the loss of {scope} is not found")
    last = graph.nodes[scope]
    trained = tuple(Endpoint(node.name) for node in holders if node is not None)
    for node in holders:
        if node is not None and draft.is_open(node.name):
            fold_variable(draft, node)
    inside = {name for name in graph.nodes if name.startswith(f"{scope}/")} | nodes_of_gradients(draft, gradients)
    inside.add(scope)
    for node in dense:
        inside |= only_for(graph, node.name, inside)
    for slot in slots:
        others = [name for name in graph.users[slot] if lifted_step(graph.nodes[name].op) and name not in inside]
        if others:
            raise NotReadable(f"{scope} shares its variable {slot} with {others[0]}")
        inside |= {slot, *graph.users[slot]}
    inside = {name for name in inside if draft.is_open(name)}
    counter = _holder(draft, last.inputs[0]) if last.op in _COUNTS else None
    if counter is not None and draft.is_open(counter.name):
        fold_variable(draft, counter)
    around = scope.rpartition("/")[0] + "/"
    each = [
        _arguments(draft, first, dict(zip(first.inputs, node.inputs)), node, slots, trained, around)
        for node in updates if lifted_step(node.op) == first
    ]  # fmt: skip
    each += [_arguments(draft, row.step, row.arguments, None, slots, trained, around) for row in rows]
    arguments = each[0]
    if any(one != arguments for one in each):
        raise NotReadable(f"{scope} updates variables with different arguments")
    for _, value in arguments:  # an argument can be computed in the scope of the optimizer
        for end in ends_of(value):
            inside -= graph.above(end.node)
    check_gradients(draft, gradients, (loss,), dict(zip(trained, roots)))
    _check_writes(draft, scope, inside, {*slots, *(end.node for end in trained), *([counter.name] if counter else [])})
    slices = {root: one.indices for root, one in zip(roots, changes) if root is not None and one.indices is not None}
    known = {root: end for root, end in zip(roots, trained) if root is not None}
    for end, x in known.items():  # in a loop, TensorFlow does not know the shapes of gradients
        variable = draft.pieces.get(x.node)
        if end not in slices and isinstance(variable, VariablePiece):
            draft.types[end] = variable.type
    sums = sums_of_slices(graph, slices)
    inside |= {end.node for end in sums if draft.is_open(end.node)}
    others = [node for name, node in graph.nodes.items() if name not in inside and draft.is_open(name)]
    read = {end for node in others for end in node.inputs if end.node in inside}
    read = {end for end in read if end in sums or GRADIENTS_SCOPE.match(end.node)}
    given = list(known.items())
    if slices:
        whole = {end: x for end, x in known.items() if end not in slices}
        whole |= {end: known[one] for end, one in sums.items()}
        found = read_gradients(graph, gradients, scope, read, whole)
        given, inside = list(found.found.items()), inside - found.between
    elif read - known.keys():
        raise NotReadable(f"{min(map(str, read - known.keys()))} is also used outside {scope}")
    is_whole = made == roots and not dense and (bool(slices) or not read)
    piece = StepPiece(
        scope,
        (Endpoint(scope),),
        loss=Produced(draft.end(loss)),
        optimizer=first.optimizer.name,
        arguments=arguments,
        trained=trained,
        global_step=None if counter is None else Endpoint(counter.name),
        gradients=() if is_whole else tuple(operand(draft, end) for end in made),
        unchanged=tuple(end for end in roots if end is not None),
        rows=tuple(slices),
        read=() if is_whole or not slices else tuple(given),
        is_whole=_are_named(slots, trained, ""),
        is_scoped=_are_named(slots, trained, around),
    )
    if given and is_whole is bool(slices):  # those of changed rows are claimed with their changes
        claim_gradients(draft, [loss], [x for _, x in given], [end for end, _ in given], inside)
    draft.claim(piece, *(name for name in inside if name != scope and draft.is_open(name)))
    draft.dropped -= {scope}


def _are_named(slots: list[str], trained: tuple[Endpoint, ...], scope: str) -> bool:
    """Whether the names of slots are the names of their variables below a scope."""
    return any(slot.startswith(f"{scope}{end.node}/") for end in trained for slot in slots)


def _check_writes(draft: Draft, scope: str, inside: set[str], known: set[str]) -> None:
    """Refuse a step that changes a variable unknown to the fold."""
    for name in sorted(inside):
        node = draft.graph.nodes[name]
        holder = _holder(draft, node.inputs[0]) if node.inputs and changes_something(node) else None
        if holder is not None and holder.name not in known and name.startswith(f"{scope}/"):
            raise NotReadable(f"{name} is not an update that an optimizer of tfdsl makes")


def claim_gradients(
    draft: Draft, ys: Sequence[Endpoint], xs: Sequence[Endpoint], ends: Sequence[Endpoint], inside: set[str]
) -> None:
    """Claim a call of `gradients`, which returns the gradients `ends` as a list."""
    made = [Produced(draft.end(y)) for y in ys]
    given = (("ys", made[0] if len(made) == 1 else Listed(tuple(made))), ("xs", Listed(tuple(map(Produced, xs)))))
    own = sorted({name for name in inside if GRADIENTS_SCOPE.match(name)} | {end.node for end in ends})
    if len(ends) == 1:
        first = next(name for name in own if name != ends[0].node)
        call = CallPiece(first, (Endpoint(first),), callee=GRADIENTS.name, arguments=given)
        draft.claim(call, *(name for name in own if name not in (first, ends[0].node)))
        draft.claim(IndexPiece(ends[0].node, (ends[0],), x=Produced(Endpoint(first)), specs=(Given(0, ""),)))
        return
    call = CallPiece(ends[0].node, tuple(ends), callee=GRADIENTS.name, arguments=given)
    draft.claim(call, *(name for name in own if name != call.node))


def _holder(draft: Draft, end: Endpoint) -> GraphNode | None:
    """The variable of a reference or handle."""
    node = draft.graph.nodes[end.node]
    return node if node.op in VARIABLES else None


def _input(node: GraphNode, step: LiftedStep, name: str) -> Endpoint:
    return node.inputs[step.inputs.index(name)]


class _Change(Record):
    """The update of a variable: its op, the step that it belongs to, the gradient, and the rows that it changes. If it
    changes the whole variable, they are None."""

    node: GraphNode
    step: LiftedStep
    gradient: Endpoint
    indices: Endpoint | None


def _change(graph: SavedGraph, node: GraphNode) -> _Change | None:
    step = lifted_step(node.op)
    if step is None:
        return None
    indices = _original(graph, _input(node, step, "indices")) if "indices" in step.inputs else None
    return _Change(node, step, _input(node, step, "grad"), indices)


def _change_of_rows(graph: SavedGraph, row: RowUpdate) -> _Change:
    return _Change(row.node, row.step, row.gradient, _original(graph, row.indices))


def _original(graph: SavedGraph, indices: Endpoint) -> Endpoint:
    """The rows of a gradient before each row was made to stand once."""
    while graph.nodes[indices.node].op == "Unique":
        indices = graph.nodes[indices.node].inputs[0]
    return indices


def _summed(draft: Draft, scope: str, end: Endpoint) -> Endpoint:
    """The gradient of rows that an update of rows receives. An optimizer first adds up the gradients of each row."""
    node = draft.graph.nodes[end.node]
    is_own = node.op == SUM and node.name.startswith(f"{scope}/update_")
    return node.inputs[0] if is_own else end


def _gradient(draft: Draft, scope: str, end: Endpoint, variable: Endpoint) -> Endpoint | None:
    """The gradient of a variable that an optimizer is given, perhaps changed since: the nearest one above, or the sum
    of its slices. In the scope of the optimizer, slots change before they are read."""
    seen, left = {end}, [end]
    while left:
        one = left.pop(0)
        match = GRADIENTS_SCOPE.match(one.node)
        if match:
            if is_gradient_of(draft, match[1], one, variable):
                return one
            continue
        node = draft.graph.nodes[one.node]
        if node.op == SUM and all(GRADIENTS_SCOPE.match(end.node) for end in node.inputs[:2]):
            return one
        before = map(Endpoint, node.controls if node.name.startswith(f"{scope}/") else ())
        new = [other for other in (*node.inputs, *before) if other not in seen]
        seen |= set(new)
        left += new
    return None


def loss_of(draft: Draft, gradients: str) -> Endpoint | None:
    """The tensor whose gradients a scope computes: the one whose gradient is 1."""
    seed = next(iter(seeds_of(draft.graph, gradients)), None)
    if seed is None or _filled(draft, Endpoint(seed)) != 1:  # otherwise the gradient is multiplied by something
        return None
    return differentiated(draft, gradients, seed)


def slots_of(graph: SavedGraph, update: GraphNode) -> list[str]:
    """The variables that an optimizer keeps for an update."""
    step = lifted_step(update.op)
    if step is None:
        return []
    own = {"var", "grad", "indices", *step.optimizer.params, "learning_rate"}
    found: list[str] = []
    for name, end in zip(step.inputs, update.inputs):
        holder = graph.nodes[end.node]
        if name not in own:
            while holder.op not in VARIABLES and holder.inputs:
                holder = graph.nodes[holder.inputs[0].node]
            found += [holder.name] if holder.op in VARIABLES else []
    return found


def _slots_name(draft: Draft, slots: list[str], trained: tuple[Endpoint, ...], scope: str) -> str:
    """The name of the optimizer in the names of its slots, or "" if it has no slots. TensorFlow adds a number to names
    that are taken."""
    starts = [start for end in sorted(trained, key=lambda one: -len(one.node))
              for start in (f"{end.node}/", f"{scope}{end.node}/")]  # fmt: skip
    for start in starts:
        for slot in slots:
            if slot.startswith(start):
                first = slot.removeprefix(start)
                plain = re.sub(r"_\d+$", "", first)
                is_numbered = f"{slot}_1" not in slots and f"{start}{plain}" in draft.graph.nodes
                return plain if is_numbered else first
    return ""


def _arguments(
    draft: Draft,
    step: LiftedStep,
    values: Mapping[str, Endpoint],
    update: GraphNode | None,
    slots: list[str],
    trained: tuple[Endpoint, ...],
    scope: str,
) -> tuple[tuple[str, Operand], ...]:
    """The arguments of the optimizer that are not its defaults. `update` is the op that has some as attributes."""
    found: list[tuple[str, Operand]] = []
    defaults = step.optimizer.params
    for name, end in values.items():
        if name in defaults or name == "learning_rate":
            end, beta = _without_beta(draft, step, name, _uncast(draft, end))
            for param, own in ((name, end), *([("beta", beta)] if beta is not None else [])):
                value = operand(draft, own)
                if not (param in defaults and isinstance(value, Given) and _equal(value.value, defaults[param])):
                    found.append((param, value))
    for name, attr in step.attrs.items():
        value = None if update is None else attribute(update.attrs[attr])
        if value is not None and value != defaults[name]:
            found.append((name, Given(value, "")))
    if "mg" in values:
        found.append(("centered", Given(True, "")))
    if "initial_accumulator_value" in defaults and slots:
        made = initializer_of(draft, draft.graph.nodes[slots[0]])
        value = _filled(draft, made.inputs[1]) if made is not None else None
        if value is not None and not _equal(value, defaults["initial_accumulator_value"]):
            found.append(("initial_accumulator_value", Given(value, "float32")))
    name = _slots_name(draft, slots, trained, scope)
    if name not in ("", step.optimizer.node):
        found.append((SLOTS, Given(name, "string")))
    order = ["learning_rate", *defaults, SLOTS]
    return tuple(sorted(found, key=lambda one: order.index(one[0])))


def _uncast(draft: Draft, end: Endpoint) -> Endpoint:
    """An argument before the update of a variable converts it to the variable's dtype."""
    node = draft.graph.nodes[end.node]
    return node.inputs[0] if node.op == "Cast" and "/update_" in node.name else end


def _without_beta(draft: Draft, step: LiftedStep, name: str, end: Endpoint) -> tuple[Endpoint, Endpoint | None]:
    """An argument before the optimizer changes it: FTRL adds `beta / (2 * learning_rate)`. Also returns `beta`."""
    node = draft.graph.nodes[end.node]
    if step.optimizer.name != "ftrl" or name != "l2_regularization_strength" or node.op not in ("Add", "AddV2"):
        return end, None
    more = draft.graph.input(node, 1)
    return (node.inputs[0], more.inputs[0]) if more.op == "RealDiv" else (end, None)


def _filled(draft: Draft, end: Endpoint) -> float | None:
    """The number that fills an initial value."""
    node = draft.graph.nodes[draft.end(end).node]
    if node.op == "Fill":
        node = draft.graph.nodes[draft.end(node.inputs[1]).node]
    value = attribute(node.attrs["value"]) if node.op == "Const" else None
    return None if value is None or not value.size else float(value.reshape(-1)[0])


def _equal(value: object, default: object) -> bool:
    """Whether a value of the graph is a default, rounded to its dtype."""
    if isinstance(value, float) and isinstance(default, (int, float)):
        return np.float32(value) == np.float32(default)
    return value == default
