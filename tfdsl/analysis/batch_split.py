"""Finds out whether an optimizer step can be split by the rows of its batch between several workers.

A step can be split if the loss is a mean or a sum over the rows: its gradient is then the mean or the sum of the
gradients of the parts. Each op's row says how the op treats the batch; the kinds are in `ops/batch.py`.
"""

from collections.abc import Mapping
from typing import assert_never

from ..ops.batch import FIXED, MEAN, ROWS, SUM, BatchArgument, BatchCall, Mixed, Operand
from ..program import Arg, Field, Graph, Literal, Node, Origin, Pack, Ref, Refs, Static, refs_of
from ..record import Record
from ..types import Shape, Size, nested_shape


class BatchSplit(Record):
    """How a step is split: the placeholders fed with the batch, the nodes made from them that the loss needs, and
    whether the loss is a mean or a sum over them."""

    fed: tuple[Ref, ...]
    between: frozenset[int]
    is_mean: bool


class NotSplit(Record):
    """Why a step cannot be split, with the place in the program."""

    reason: str
    origin: Origin


def split(graph: Graph, optimize: Node, fed: frozenset[Ref] = frozenset()) -> BatchSplit | NotSplit:
    """How to split the step of an `optimize` node. `fed` lists the tensors that the program's sessions feed."""
    loss = optimize.ref("loss")
    reached = [graph.nodes[id] for id in sorted(graph.reach([loss]))]
    firsts = {node.id: _first(node) for node in reached if node.is_placeholder}
    batches = [node for node in reached if firsts.get(node.id) is not None]
    sizes = list(dict.fromkeys(size for size in firsts.values() if size is not None))
    if not sizes:
        return NotSplit("it is fed no placeholder with a named first size, as in float32[batch, 9]", optimize.origin)
    if len(sizes) > 1:
        names = " and ".join(size.name for size in sizes)
        return NotSplit(f"its placeholders have several first sizes, {names}", optimize.origin)
    kinds: dict[int, str] = {}
    for node in reached:
        kind = ROWS if node in batches else _kind(graph, node, kinds)
        if kind is None:
            return NotSplit(f"the result of {_called(node)} for a batch cannot be combined from its parts", node.origin)
        if kind != FIXED and node not in batches and (graph.is_after(node) or any(ref.node == node.id for ref in fed)):
            what = "is in an 'after'" if graph.is_after(node) else "is fed"
            return NotSplit(f"{_called(node)}, which depends on the batch, {what}", node.origin)
        kinds[node.id] = kind
    kind = kinds[loss.node]
    if kind not in (MEAN, SUM):
        return NotSplit("its loss is not a mean or a sum over the rows of a batch", optimize.origin)
    between = frozenset(id for id, kind in kinds.items() if kind != FIXED) - {node.id for node in batches}
    return BatchSplit(tuple(Ref(node.id) for node in batches), between, kind == MEAN)


def _first(node: Node) -> Size | None:
    shape = node.outputs[0].shape
    return shape[0] if shape and isinstance(shape[0], Size) else None


def _called(node: Node) -> str:
    return f"'{node.name}'" if node.name else node.op.partition(".")[2] or node.op


def _kind(graph: Graph, node: Node, kinds: Mapping[int, str]) -> str | None:
    """The batch kind of a node's output, from the kinds of its inputs. None if it has none."""
    if node.is_variable or all(kinds.get(ref.node, FIXED) == FIXED for ref in node.inputs()):
        return FIXED
    if node.regions or not node.outputs:
        return None
    arguments = {name: _argument(graph, arg, kinds) for name, arg in node.args.items()}
    call = BatchCall(arguments, node.outputs[0])
    try:
        if node.is_index:
            return _indexed(node, call)
        return None if node.row is None else node.row.batch(call)
    except Mixed:
        return None


def _argument(graph: Graph, arg: Arg, kinds: Mapping[int, str]) -> BatchArgument:
    """An argument of a node as batch rules see it."""
    match arg:
        case Static(value=value):
            return BatchArgument((), nested_shape(value), value=value)
        case Literal(value=value):
            return BatchArgument((_operand(graph, arg, kinds),), nested_shape(value), value=value)
        case Refs(items=items):
            operands = tuple(_operand(graph, item, kinds) for item in items if not isinstance(item, Static))
            return BatchArgument(operands, None, is_list=True)
        case Ref() | Pack() | Field():
            operand = _operand(graph, arg, kinds)
            return BatchArgument((operand,), operand.shape)
        case _:
            assert_never(arg)


def _operand(graph: Graph, arg: Arg, kinds: Mapping[int, str]) -> Operand:
    found = frozenset(kinds.get(ref.node, FIXED) for ref in refs_of(arg)) or frozenset([FIXED])
    return Operand(_shape(graph, arg), found, isinstance(arg, Pack))


def _shape(graph: Graph, arg: Arg) -> Shape:
    match arg:
        case Ref():
            type = graph.type(arg)
            return None if type is None else type.shape
        case Literal(value=value) | Static(value=value):
            return nested_shape(value)
        case Pack(items=items):
            inner = _shape(graph, items[0])
            return None if inner is None else (len(items), *inner)
        case Refs() | Field():
            return None
        case _:
            assert_never(arg)


def _indexed(node: Node, call: BatchCall) -> str:
    """`x[:, 1]` and `x[..., 0]`: all rows are taken."""
    call.only("x")
    index = node.args["index"]
    assert isinstance(index, Refs)
    first = index.items[0]
    all_rows = isinstance(first, Refs) and all(part == Static(None) for part in first.items)
    from_end = first == Static("...") and len(index.items) <= call.rank("x")
    if call.kind("x") != ROWS or not (all_rows or from_end):
        raise Mixed
    return ROWS
