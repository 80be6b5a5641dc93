"""Variables: the op that holds one, its initializer and its reads are one declaration."""

from ...diagnostics.spelling import listed
from ...ops.lifted import lifted_step
from ...program import HostValue
from ...types import ALL_DTYPES, TensorType
from ..constants import attribute
from ..draft import Draft, Given, NotFolded, Operand, VariablePiece, changes_something
from ..graph import ASSIGNS, ENTERS, NAMED, PLACEHOLDERS, SWITCHES, VARIABLES, Endpoint, GraphNode, reached
from ..unfolded import UnfoldedPart
from .operands import operand

READS = ("Identity", "ReadVariableOp")


def fold_variables(draft: Draft) -> None:
    saved: list[str] = []
    for node in list(draft.nodes(*VARIABLES)):
        if _is_only_saved(draft, node):
            saved.append(node.name)
            draft.dropped |= {node.name, *(name for name in draft.graph.users[node.name] if draft.is_free(name))}
        else:
            fold_variable(draft, node)
    for node in list(draft.nodes("ReadVariableOp")):  # reads in loops or branches
        end = draft.end(node.inputs[0])
        while draft.graph.nodes[end.node].op == "Identity":
            end = draft.end(draft.graph.nodes[end.node].inputs[0])
        is_variable = isinstance(draft.pieces.get(end.node), VariablePiece)
        if is_variable and not draft.waits(node) and not _is_overtaken(draft, draft.graph.nodes[end.node], node):
            draft.aliases[Endpoint(node.name)] = end
            draft.inside[node.name] = end.node
    if saved:
        draft.notes.append(f"left out: {listed(saved, NAMED)}, which the graph only saves and restores")


def _is_only_saved(draft: Draft, node: GraphNode) -> bool:
    """Whether only a Saver uses a variable. A SavedModel of a network has such variables from its optimizer."""
    users = [draft.graph.nodes[name] for name in draft.graph.users[node.name]]
    reads = [one.name for one in users if one.op in READS]
    results = {draft.end(end).node for end in draft.aliases}
    return (
        draft.served.isdisjoint((node.name, *reads))
        and not results.intersection((node.name, *reads))
        and any(one.name in draft.dropped for one in users)
        and all(one.name in draft.dropped or one.name in reads for one in users)
        and all(user in draft.dropped for name in reads for user in draft.graph.users[name])
    )


def fold_variable(draft: Draft, node: GraphNode) -> None:
    users = [draft.graph.nodes[name] for name in draft.graph.users[node.name]]
    first = initializer_of(draft, node)
    end = Endpoint(node.name)
    type = _held(draft, node, first)
    initial: Operand = Given(_zeros(type), "") if first is None else operand(draft, first.inputs[1])
    if first is None:
        draft.uninitialized.append(node.name)
    if _changes_shape(draft, node, first):
        reason = f"the shape of {node.name} changes"
        raise NotFolded(reason, UnfoldedPart(fold_variables.__name__, frozenset({node.name}), "", reason))
    reads = [one for one in users if one.op in READS and not one.controls and one.inputs == (end,)
             and not _is_overtaken(draft, node, one)]  # fmt: skip
    trainable = draft.trainable is None or node.name in draft.trainable
    piece = VariablePiece(node.name, (end,), type=type, initial=initial, is_trainable=trainable)
    draft.claim(piece, *(one.name for one in reads), *([first.name] if first else []))
    draft.aliases |= {Endpoint(one.name): end for one in reads}


def _is_overtaken(draft: Draft, variable: GraphNode, read: GraphNode) -> bool:
    """Whether an op changes the variable after a read, and perhaps before an op that takes what was read. A program
    that only named the variable there would read it anew. The step of an optimizer is assumed to come last, unless an
    op waits for it."""
    graph = draft.graph
    if read.op != "ReadVariableOp":
        return False  # a reference, whose value changes with the variable
    takers = reached([read.name], lambda one: graph.users[one] if graph.nodes[one].op in READS else ()) - {read.name}
    passed = (*ENTERS, *SWITCHES, "Identity", variable.op)  # the handle
    for name in reached([variable.name], lambda one: graph.users[one] if graph.nodes[one].op in passed else ()):
        if not changes_something(graph.nodes[name]) or name in draft.dropped:
            continue
        late = {one for one in takers if graph.places[one] > graph.places[name]}
        if late and lifted_step(graph.nodes[name].op) is not None:
            late &= graph.below(name)
        if late and read.name in (before := graph.above(name)) and not late <= before:
            return True
    return False


def _held(draft: Draft, node: GraphNode, first: GraphNode | None) -> TensorType:
    """The type of the value that a variable holds. If the graph leaves its shape open, this is the type of its initial
    value or of the value in the checkpoint."""
    type = variable_type(node)
    others = [*([draft.type(first.inputs[1])] if first else []), *filter(None, [draft.stored.get(node.name)])]
    return next((one for one in (type, *others) if is_complete(one)), type)


def is_complete(type: TensorType) -> bool:
    """Whether all sizes of a type are known."""
    return type.shape is not None and all(isinstance(size, int) for size in type.shape)


def _changes_shape(draft: Draft, node: GraphNode, first: GraphNode | None) -> bool:
    """Whether a variable without a declared shape is assigned values with a different shape from its first one."""
    shape = variable_type(node).shape
    if first is None or (shape is not None and None not in shape):
        return False
    given = {draft.end(one.inputs[1]) for one in draft.graph.nodes.values()
             if one.op in ASSIGNS and one.name not in draft.dropped and _holder(draft, one) == node.name}  # fmt: skip
    return len({draft.type(end).shape for end in given}) > 1


def _holder(draft: Draft, assign: GraphNode) -> str:
    """The variable that an op assigns a value to."""
    return draft.end(assign.inputs[0]).node


def initializer_of(draft: Draft, node: GraphNode) -> GraphNode | None:
    """The op that assigns the initial value."""
    users = [draft.graph.nodes[name] for name in draft.graph.users[node.name]]
    assigns = [one for one in users if one.op in ASSIGNS and one.inputs[0] == Endpoint(node.name)
               and one.name not in draft.dropped]  # fmt: skip
    named = [one for one in assigns if one.name.startswith(f"{node.name}/")]
    free = [one for one in assigns if not _is_update(draft, one)]
    return (named or free or [None])[0]


def _is_update(draft: Draft, assign: GraphNode) -> bool:
    """Whether an op assigns a value that depends on variables or on fed tensors."""
    above = draft.graph.above(assign.inputs[1].node)
    return any(draft.graph.nodes[name].op in (*VARIABLES, *PLACEHOLDERS) for name in above)


def variable_type(node: GraphNode) -> TensorType:
    """The type of the value that a variable holds."""
    shape: list[int | None] | None = attribute(node.attrs["shape"])
    return TensorType(ALL_DTYPES[attribute(node.attrs["dtype"])], None if shape is None else tuple(shape))


def _zeros(type: TensorType) -> HostValue:
    return "" if type.dtype.name == "string" else False if type.dtype.name == "bool" else 0
