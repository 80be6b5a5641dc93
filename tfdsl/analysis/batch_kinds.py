"""How the values of nodes depend on the rows of a batch. Each op's row says how the op treats the batch.

The kinds are in `ops/batch.py`."""

from collections.abc import Iterable, Mapping
from typing import assert_never

from ..ops.batch import COLUMNS, FIXED, ROWS, SIZES, SUM, BatchArgument, BatchCall, Mixed, Operand
from ..program import Arg, Back, Field, Literal, Node, Pack, Ref, Refs, Static, refs_of
from ..types import Shape, nested_shape

Nodes = Mapping[int, Node]


def batch_kind(nodes: Nodes, node: Node, kinds: Mapping[int, str]) -> str | None:
    """The batch kind of a node's output, from the kinds of its inputs. None if it has none."""
    if node.is_variable or all(kinds.get(ref.node, FIXED) == FIXED for ref in node.inputs()):
        return FIXED
    if node.regions:
        return _applied(nodes, node, kinds)
    if not node.outputs:
        return None
    call = BatchCall(batch_arguments(nodes, node, kinds), node.outputs[0])
    try:
        if node.is_index:
            return _indexed(node, call)
        return None if node.row is None else node.row.batch(call)
    except Mixed:
        return None


def outside_regions(nodes: Nodes, ids: Iterable[int]) -> list[int]:
    """Those of some nodes that are in no region, in program order. The kind of a node in a region depends on those of
    the region's parameters."""
    inside = {one.id for id in ids for one in nodes[id].inside()}
    return sorted(set(ids) - inside)


def _applied(nodes: Nodes, node: Node, kinds: Mapping[int, str]) -> str | None:
    """The batch kind of what a function returns for the elements of tensors. The batch axis is that of each element, or
    `map_fn` maps the rows themselves. `while` and `if` have none."""
    if node.row is None:
        return None
    (body,) = node.regions
    elements, values = (_kinds(node, name, kinds) for name in ("elems", "initializer"))
    if not node.row.folds:
        values = []
    elif not values:
        values = elements
    if COLUMNS not in elements:
        is_each = set(elements) == {ROWS} and not node.row.folds
        return ROWS if is_each and all(kinds.get(ref.node, FIXED) == FIXED for ref in body.inputs()) else None
    inner = [ROWS if kind == COLUMNS else kind for kind in (*values, *elements)]
    if not set(inner) <= {FIXED, ROWS}:
        return None
    known = {**kinds, **{param.id: kind for param, kind in zip(body.params, inner, strict=True)}}
    for item in body.items:
        if isinstance(item, Node):
            kind = batch_kind(nodes, item, known)
            if kind is None:
                return None
            known[item.id] = kind
    results = [_kind(arg, known) for arg in body.results]
    if set(results) != {ROWS} or (values and inner[: len(values)] != results):
        return None
    return COLUMNS if node.row.stacks else ROWS


def _kinds(node: Node, name: str, kinds: Mapping[int, str]) -> list[str | None]:
    return [_kind(arg, kinds) for arg in node.items(name)] if name in node.args else []


def _kind(arg: Arg, kinds: Mapping[int, str]) -> str | None:
    """The kind of a tensor, or None if it is made of several kinds."""
    found = {kinds.get(ref.node, FIXED) for ref in refs_of(arg)} or {FIXED}
    return found.pop() if len(found) == 1 else None


def batch_arguments(nodes: Nodes, node: Node, kinds: Mapping[int, str]) -> dict[str, BatchArgument]:
    """The arguments of a node as rules see them."""
    return {name: _argument(nodes, arg, kinds) for name, arg in node.args.items()}


def _argument(nodes: Nodes, arg: Arg, kinds: Mapping[int, str]) -> BatchArgument:
    """An argument of a node as batch rules see it."""
    match arg:
        case Static(value=value):
            return BatchArgument((), nested_shape(value), value=value)
        case Literal(value=value):
            return BatchArgument((_operand(nodes, arg, kinds),), nested_shape(value), value=value)
        case Refs(items=items):
            operands = tuple(_operand(nodes, item, kinds) for item in items if not isinstance(item, Static))
            return BatchArgument(operands, None, is_list=True)
        case Ref() | Pack() | Field() | Back():
            operand = _operand(nodes, arg, kinds)
            return BatchArgument((operand,), operand.shape)
        case _:
            assert_never(arg)


def _operand(nodes: Nodes, arg: Arg, kinds: Mapping[int, str]) -> Operand:
    found = frozenset(kinds.get(ref.node, FIXED) for ref in refs_of(arg)) or frozenset([FIXED])
    return Operand(_shape(nodes, arg), found, isinstance(arg, Pack))


def _shape(nodes: Nodes, arg: Arg) -> Shape:
    match arg:
        case Ref():
            outputs = nodes[arg.node].outputs
            return outputs[arg.output].shape if outputs else None
        case Literal(value=value) | Static(value=value):
            return nested_shape(value)
        case Pack(items=items):
            inner = _shape(nodes, items[0])
            return None if inner is None else (len(items), *inner)
        case Refs() | Field() | Back():
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
    if call.is_all("x", SIZES):
        return _of_sizes(index.items, call)
    if call.is_all("x", COLUMNS):
        return _at_place(index.items)
    if call.kind("x") != ROWS or not (all_rows or from_end):
        raise Mixed
    return ROWS


def _at_place(index: tuple[Arg, ...]) -> str:
    """`x[-1]`, where the second axis is the batch axis: one row for each row of the batch."""
    if len(index) != 1 or not isinstance(index[0], Literal) or not isinstance(index[0].value, int):
        raise Mixed
    return ROWS


def _of_sizes(index: tuple[Arg, ...], call: BatchCall) -> str:
    """`shape(x)[0]` is the sum of 1 over the rows, and `shape(x)[1]` is fixed. So is `shape(x)[1:]`, and `shape(x)[:2]`
    is the shape of rows with fewer axes."""
    sizes = call.arguments["x"].shape
    if len(index) != 1 or not sizes or not isinstance(sizes[0], int):
        raise Mixed
    match index[0]:
        case Literal(value=int(place)):
            return FIXED if place % sizes[0] else SUM
        case Refs(items=parts):
            known = (part.value for part in parts if isinstance(part, Static | Literal))
            bounds = [one for one in known if one is None or isinstance(one, int)]
            if len(bounds) < len(parts):
                raise Mixed
            taken = range(sizes[0])[slice(*bounds)]
            if 0 not in taken:
                return FIXED
            if taken[0] == 0:
                return SIZES
    raise Mixed
