"""Folds all remaining nodes: placeholders, constants, and one call per node, of an op of the language or a raw op."""

from ...lowering.tf import AttrValue, op_def
from ...ops.lifted import lifted_call
from ...ops.named import CONSTANT
from ...ops.op import Parameter
from ...ops.raw import PREFIX
from ...program import HostValue
from ...record import replace
from ...types import UNREADABLE, DType
from ..constants import MOST_IN_TEXT, attribute, constant_value, frozen, plain, value_text
from ..draft import (
    CallPiece,
    Draft,
    FunctionName,
    Given,
    Listed,
    NotFolded,
    NotReadable,
    Operand,
    PlaceholderPiece,
    Produced,
    StoredPiece,
    VariablePiece,
    changes_something,
    is_raw,
)
from ..graph import ENTERS, PLACEHOLDERS, SWITCHES, Endpoint, GraphNode
from ..nodes import count_of, inferred
from ..races import REFERENCES, accesses
from ..unfolded import UnfoldedPart
from .indexing import index_of
from .operands import inputs_of, operand, rank_of
from .placeholders import placeholder_type
from .random import seed_of
from .variables import fold_variables

# Attributes that follow from an input or change no value: how ops lock and check variables, the seed of the graph, and
# the preferences of kernels.
_UNSEEN = ("num_split", "use_locking", "validate_shape", "seed", "use_cudnn_on_gpu", "parallel_iterations")
_READ = "ReadVariableOp"
_OF_VARIABLES = (_READ, "ResourceGather")  # whose dtype is that of a variable
_WINDOWS = ("Conv2D", "Conv2DBackpropInput", "MaxPool", "AvgPool")  # whose calls take sizes of height and width alone
_VARIABLE = "variable"
_TENSORS = ("tensor", "tensors", "shape", _VARIABLE)


def fold_calls(draft: Draft) -> None:
    for node in draft.graph.nodes.values():
        if not draft.is_free(node.name):
            continue
        is_open = draft.is_open(node.name)
        if node.name in draft.kept:
            draft.pieces[node.name] = _kept(draft, node)
        elif node.op == "Const":
            fold_constant(draft, node)
        elif node.op in PLACEHOLDERS:
            default = operand(draft, node.inputs[0]) if node.inputs else None
            type = placeholder_type(draft, node)
            draft.claim(PlaceholderPiece(node.name, (Endpoint(node.name),), type=type, default=default))
        elif (
            (given := _passed(draft, node)) is not None
            and not draft.waits(node)
            and draft.graph.users[node.name]
            and node.name not in draft.served
            and is_open
            and not _marks_branch(draft, node)
        ):
            draft.aliases[Endpoint(node.name)] = given
            draft.inside[node.name] = given.node
        else:
            made = (index_of(draft, node) or call_of(draft, node)) if is_open else None
            draft.claim(made or _after_reads(draft, node, raw_of(draft, node)))


def _kept(draft: Draft, node: GraphNode) -> CallPiece:
    """A node of a loop that stays as it was. It waits for all that it waits for in the graph: this puts constants into
    the loop."""
    if node.op != "Const":
        return raw_of(draft, node)
    value = constant_value(node)
    if value is None or value.size > MOST_IN_TEXT:
        raise NotReadable(f"a loop that stays as it was has the large constant {node.name}")
    arguments = (("dtype", Given(node.types[0].dtype.name, "")), ("value", Given(plain(value), "")))
    return CallPiece(node.name, _ends(node), node.controls, callee=f"{PREFIX}{node.op}", arguments=arguments)


def _after_reads(draft: Draft, node: GraphNode, piece: CallPiece) -> CallPiece:
    """The call of an op that changes a reference variable. It waits for the ops that read the variable before; in the
    graph, it may wait for them through ops that only pass a value on."""
    holder = draft.graph.nodes[draft.end(node.inputs[0]).node] if node.inputs else node
    if holder.op not in REFERENCES or not changes_something(node):
        return piece
    before = draft.graph.above(node.name) - {node.name} - draft.dropped - draft.regions.keys()
    reads = [one.name for one in accesses(draft.graph, holder.name) if one.name in before and not one.is_write]
    return replace(piece, controls=tuple(dict.fromkeys((*piece.controls, *reads))))


def _marks_branch(draft: Draft, node: GraphNode) -> bool:
    """Whether other nodes wait for this one to run in one branch only: it passes on the output of a Switch op that
    stays, which itself runs in both."""
    if not node.inputs or (switch := draft.graph.input(node, 0)).op not in SWITCHES or switch.name in draft.inside:
        return False
    users = [draft.graph.nodes[user] for user in draft.graph.users[node.name] if user not in draft.dropped]
    return any(node.name in user.controls for user in users)


def _passed(draft: Draft, node: GraphNode) -> Endpoint | None:
    """The input that a node passes on as it is, or the size that an array was made with."""
    match node.op:
        case "Identity" | "Snapshot":
            return node.inputs[0]
        case "Split" if node.attrs["num_split"].i == 1:
            return node.inputs[1]
        case "SplitV" if node.attrs["num_split"].i == 1:
            return node.inputs[0]
        case "TensorArraySizeV3":
            array = draft.graph.nodes[draft.end(node.inputs[0]).node]
            is_fixed = array.op == "TensorArrayV3" and not array.attrs["dynamic_size"].b
            return array.inputs[0] if is_fixed else None
        case _:
            return None


def fold_constant(draft: Draft, node: GraphNode) -> None:
    """Store a constant that is too large for the text. Write a constant that nothing in the graph uses as a call, so
    that the program keeps it."""
    end = Endpoint(node.name)
    value = operand(draft, end)
    if isinstance(value, Produced):
        draft.claim(StoredPiece(node.name, (end,)))
    elif not draft.graph.users[node.name] or node.name in draft.served:
        draft.claim(CallPiece(node.name, (end,), callee=CONSTANT.name, arguments=(("value", value),)))


def call_of(draft: Draft, node: GraphNode) -> CallPiece | None:
    """A node as a call of an op of the language, or None if it has attributes that no call of it has."""
    call, definition = lifted_call(node.op), op_def(node.op)
    if call is None or definition is None:
        return None
    if any(count_of(arg, node.attrs) == 1 for arg in definition.output_arg):
        return None  # the call has a list as its result
    if call.is_first and needs_others(draft, node):
        return None
    is_handle = node.op in ("Identity", _READ) and draft.type(node.inputs[0]).dtype.name in UNREADABLE
    if is_handle and not is_variable(draft, Produced(node.inputs[0])):
        return None  # it passes on a handle, or reads a variable that stays an op
    params = {param.name: param for param in call.op.params}
    arguments: list[tuple[str, Operand]] = []
    for name, (_, value) in zip(call.inputs, inputs_of(draft, node), strict=True):
        if (
            params[name].kind not in _TENSORS
            and not isinstance(value, Given)
            and not (name == "axis" and _are_all_axes(draft, node, value))
        ):
            return None
        if params[name].kind == _VARIABLE and not is_variable(draft, value):
            return None  # a variable that stays an op, or one that a Switch passes on
        arguments.append((name, value))
    usual = {attr.name: attr.default_value for attr in definition.attr}
    for name, attr in call.attrs.items():
        if params[name].default is not None or node.attrs[attr] != usual[attr]:
            arguments.append((name, Given(_window(node, name, frozen(attribute(node.attrs[attr]))), "")))
    for name, wanted in call.demanded.items():
        if value_text(attribute(node.attrs[name]), "") not in wanted.split("|"):
            return None
    taken = {*call.attrs.values(), *call.demanded, *inferred(definition, node.attrs), *_UNSEEN}
    taken |= {"dtype"} if node.op in _OF_VARIABLES else set()
    for attr in definition.attr:
        if attr.name not in taken and node.attrs[attr.name] != attr.default_value:
            return None
    seed = seed_of(draft, node)
    kept = [
        (name, _single(value) if name == "axis" and not params[name].is_tensor else value)
        for name, value in arguments
        if not _is_default(draft, node, params[name], value)
    ]
    if seed is not None:
        kept = [(name, seed if name == "seed" else value) for name, value in kept]
    order = list(params)
    kept.sort(key=lambda one: order.index(one[0]))
    ends = _ends(node)[:1] if call.is_first else _ends(node)
    return CallPiece(node.name, ends, node.controls, callee=call.op.name, arguments=tuple(kept))


def is_variable(draft: Draft, value: Operand) -> bool:
    """Whether an operand is a variable of the program."""
    return isinstance(value, Produced) and isinstance(draft.pieces.get(draft.end(value.end).node), VariablePiece)


def needs_others(draft: Draft, node: GraphNode) -> bool:
    """Whether anything that is not folded yet reads other results of a node than the first one."""
    users = [draft.graph.nodes[user] for user in draft.graph.users[node.name] if draft.is_free(user)]
    return any(end.node == node.name and end.output for user in users for end in user.inputs)


def raw_of(draft: Draft, node: GraphNode) -> CallPiece:
    """A node as a raw call."""
    definition = op_def(node.op)
    arguments: list[tuple[str, Operand]] = list(inputs_of(draft, node))
    variable = _passed_variable(draft, node)
    if variable is not None and node.op == _READ and not _is_changed_before(draft, variable, node):
        return CallPiece(node.name, _ends(node), node.controls, callee=f"{PREFIX}Identity",
                         arguments=(("input", arguments[0][1]),))  # fmt: skip
    if variable is not None and node.op not in (*ENTERS, *SWITCHES):
        reason = f"{node.name} takes the handle of {variable} in a branch or loop that stays as it was"
        raise NotFolded(reason, UnfoldedPart(fold_variables.__name__, frozenset({variable}), "", reason))
    assert definition is not None  # `inputs_of` refuses others
    for arg, (_, value) in zip(definition.input_arg, arguments):
        if arg.is_ref:
            _refer(draft, node, value)
    following = inferred(definition, node.attrs)
    usual = {one.name: one.default_value for one in definition.attr if one.HasField("default_value")}
    for name, value in sorted(node.attrs.items()):
        if name not in following and value != usual.get(name) and not name.startswith("_"):
            arguments.append((name, _attribute(value)))
    return CallPiece(node.name, _ends(node), node.controls, callee=f"{PREFIX}{node.op}", arguments=tuple(arguments))


def _passed_variable(draft: Draft, node: GraphNode) -> str | None:
    """The variable of the program whose handle ops pass on to a node. In the program, they pass on its value."""
    if not node.inputs:
        return None
    passing, name = _passed_on(draft, node)
    is_variable = draft.graph.nodes[name].op == "VarHandleOp" and isinstance(draft.pieces.get(name), VariablePiece)
    return name if is_variable and any(one != "Identity" for one in passing) else None


def _passed_on(draft: Draft, node: GraphNode) -> tuple[list[str], str]:
    """The kinds of ops that pass on the first input of a node, and the node that it comes from."""
    passing: list[str] = []
    while (one := draft.graph.input(node, 0)).op in (*ENTERS, *SWITCHES, "Identity"):
        passing.append(one.op)
        node = one
    return passing, one.name


def _is_changed_before(draft: Draft, variable: str, node: GraphNode) -> bool:
    """Whether an op changes a variable before a node, or in a loop with it."""
    above = (draft.graph.nodes[name] for name in draft.graph.above(node.name))
    return any(changes_something(one) and one.inputs and _passed_on(draft, one)[1] == variable for one in above)


def _refer(draft: Draft, node: GraphNode, value: Operand) -> None:
    """Make the variable that a node takes a reference variable. The result of a raw call can be a reference too."""
    piece = draft.pieces.get(draft.end(value.end).node) if isinstance(value, Produced) else None
    if isinstance(piece, VariablePiece):
        draft.pieces[piece.node] = replace(piece, is_reference=True)
    elif piece is None or not is_raw(piece):
        raise NotReadable(f"{node.name}, {node.op}, takes a reference")
    block = next(draft.blocks(node.name), None)
    if block is not None:
        nodes = frozenset(one for one in {*draft.inside, block} if draft.owner(one) == block)
        reason = f"{node.name} changes a variable that is no variable of the program"
        raise NotFolded(reason, UnfoldedPart(draft.folded[block], nodes, "", reason))


def _attribute(value: AttrValue) -> Operand:
    """An attribute of a raw call."""
    if value.HasField("func"):
        return FunctionName(value.func.name)
    if value.list.func:
        return Listed(tuple(FunctionName(one.name) for one in value.list.func))
    return Given(frozen(attribute(value)), "")


def _ends(node: GraphNode) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(node.name, at) for at in range(max(1, len(node.types))))


def _is_default(draft: Draft, node: GraphNode, param: Parameter, value: Operand) -> bool:
    """Whether an argument can be left out."""
    if param.name == "axis" and param.kind == "integers" and node.inputs:
        return _are_all_axes(draft, node, value)
    if not isinstance(value, Given):
        return False
    if param.name == "axis" and node.op == "GatherV2":
        return value.value == 0
    if isinstance(param.default, DType):
        return param.default.name == value.value
    return frozen(param.default) == value.value


def _are_all_axes(draft: Draft, node: GraphNode, value: Operand) -> bool:
    """Whether an op works along all axes, so that `axis` can be left out."""
    match value:
        case Given(value=tuple(axes)):
            rank = rank_of(draft, node.inputs[0])
            return (not axes and len(node.inputs) == 1) or (rank is not None and axes == tuple(range(rank)))
        case Produced(end) if draft.graph.nodes[end.node].op == "Range":
            start, limit, step = (draft.graph.nodes[draft.end(one).node] for one in draft.graph.nodes[end.node].inputs)
            known = [constant_value(one) for one in (start, step)]
            return known == [0, 1] and limit.op == "Rank" and draft.end(limit.inputs[0]) == draft.end(node.inputs[0])
        case _:
            return False


def _single(value: Operand) -> Operand:
    """A list of one axis as that axis."""
    match value:
        case Given(value=(int(axis),)):
            return Given(axis, value.dtype)
        case _:
            return value


def _window(node: GraphNode, name: str, value: HostValue) -> HostValue:
    """The height and width of a window's size or stride over pictures, without examples and channels."""
    is_window = node.op in _WINDOWS and name in ("strides", "ksize")
    match value:
        case (1, int(height), int(width), 1) if is_window and node.attrs["data_format"].s == b"NHWC":
            return height if height == width else (height, width)
        case _:
            return value
