"""Computes arithmetic on shapes: whole numbers and bools that follow from constants and from sizes known to
TensorFlow. Floats are compared, which is exact, but not computed, which would be rounded."""

import math
from collections.abc import Callable, Iterator
from types import EllipsisType

import numpy as np

from ..constants import constant_value
from ..draft import BlockPiece, Draft, LiftedPiece, ends_of
from ..graph import SWITCHES, Endpoint, GraphNode

_MOST = 20  # elements of a value
_DTYPES = ("int32", "int64", "bool")
_COMPARISONS = ("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual")
_DIVISIONS = ("FloorDiv", "FloorMod")
KnownValue = Callable[[Draft, Endpoint], np.ndarray | None]


def fold_shapes(draft: Draft) -> None:
    """Compute the nodes of whole numbers and bools whose values are known, unless a piece reads them already."""
    read = {draft.end(end) for piece in draft.pieces.values() for end in _read_by(piece)}
    for node in draft.graph.nodes.values():
        if not draft.is_open(node.name) or node.op == "Const" or len(node.types) != 1:
            continue
        if node.name in draft.served or Endpoint(node.name) in read:
            continue
        if (chosen := _chosen(draft, node)) is not None and not draft.waits(node):
            draft.aliases[Endpoint(node.name)] = chosen
            draft.dropped.add(node.name)
            continue
        if node.types[0].dtype.name in _DTYPES and draft.graph.users[node.name]:
            if draft.waits(node):
                continue
            value = _value(draft, node)
            if value is not None and value.size <= _MOST:
                draft.known[Endpoint(node.name)] = value
                draft.dropped.add(node.name)


def _read_by(piece: LiftedPiece) -> Iterator[Endpoint]:
    """The endpoints that a piece reads, with the results of its bodies."""
    for one in piece.operands():
        yield from ends_of(one)
    for _, ends in piece.bodies() if isinstance(piece, BlockPiece) else ():
        yield from ends


def value_in_branch(draft: Draft, end: Endpoint) -> np.ndarray | None:
    """The value of a tensor, if it is known, also inside a branch: what is computed there waits for the branch."""
    value = _known(draft, end)
    node = draft.graph.nodes[draft.end(end).node]
    if value is not None or not all(map(draft.is_silent, draft.before(node.name))):
        return value
    if node.op in SWITCHES:
        return value_in_branch(draft, node.inputs[0])
    return _value(draft, node, value_in_branch) if node.op in _COMPUTE else None


def _known(draft: Draft, end: Endpoint) -> np.ndarray | None:
    end = draft.end(end)
    return draft.known.get(end) if end in draft.known else constant_value(draft.graph.nodes[end.node])


def _chosen(draft: Draft, node: GraphNode) -> Endpoint | None:
    """The one of two tensors that a condition whose value is known chooses."""
    if node.op not in ("Select", "SelectV2"):
        return None
    condition = _known(draft, node.inputs[0])
    if condition is None or condition.size != 1 or draft.type(node.inputs[1]) != draft.type(node.inputs[2]):
        return None
    end = node.inputs[1 if condition.all() else 2]
    return end if draft.type(end) == draft.type(Endpoint(node.name)) else None


def _value(draft: Draft, node: GraphNode, known_value: KnownValue = _known) -> np.ndarray | None:
    """The value of a node, if those of its inputs are known."""
    if node.op == "Shape":
        shape = _type_shape(draft, node.inputs[0])
        return None if shape is None else _array(shape, node)
    if node.op == "Rank":
        rank = draft.graph.nodes[node.inputs[0].node].types[node.inputs[0].output].rank
        return None if rank is None else np.array(rank, np.int32)
    if node.op == "Size":
        shape = _type_shape(draft, node.inputs[0])
        return None if shape is None else _array(math.prod(shape), node)
    compute = _COMPUTE.get(node.op)
    if compute is None:
        return None
    values = [known_value(draft, end) for end in node.inputs]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not all(_is_exact(node, value) for value in known):
        return None
    if node.op in _DIVISIONS and not np.all(known[1]):
        return None
    if _elements(node.op, known) > _MOST:
        return None
    try:
        with np.errstate(all="ignore"):
            made = compute(node, known)
    except (ValueError, IndexError):  # TensorFlow fails too, if it runs this node
        return None
    return None if made is None else np.asarray(made, _dtype(node))


def _is_exact(node: GraphNode, value: np.ndarray) -> bool:
    """Whether TensorFlow computes the same of a value. It takes subnormal floats for 0."""
    if value.dtype.kind != "f":
        return value.dtype.kind in "iub"
    is_normal = (value == 0) | ~(np.abs(value) < np.finfo(value.dtype).tiny)
    return node.op in _COMPARISONS and bool(np.all(is_normal))


def _array(value: object, node: GraphNode) -> np.ndarray | None:
    """Sizes as an array, unless they are too large for the dtype of the node."""
    try:
        return np.array(value, _dtype(node))
    except OverflowError:
        return None


def _elements(op: str, values: list[np.ndarray]) -> int:
    """The number of elements in the result of an op that can make many elements from few."""
    match op:
        case "Fill":
            return math.prod(values[0].ravel().tolist())
        case "Tile":
            return values[0].size * math.prod(values[1].ravel().tolist())
        case "Range":
            start, stop, step = (int(value) for value in values)
            return len(range(start, stop, step)) if step else 0
        case _:
            return 0


def _type_shape(draft: Draft, end: Endpoint) -> list[int] | None:
    """The shape of a tensor, if it is known."""
    shape = draft.graph.nodes[end.node].types[end.output].shape
    sizes = [size for size in shape or () if isinstance(size, int)]
    return sizes if shape is not None and len(sizes) == len(shape) else None


def _dtype(node: GraphNode) -> str:
    return node.types[0].dtype.name


def _slice(node: GraphNode, values: list[np.ndarray]) -> np.ndarray:
    x, begin, size = values
    return x[tuple(slice(b, None if s == -1 else b + s) for b, s in zip(begin.tolist(), size.tolist(), strict=True))]


def _strided(node: GraphNode, values: list[np.ndarray]) -> np.ndarray | None:
    x, begin, end, step = values
    masks = {name: node.attrs[f"{name}_mask"].i for name in ("begin", "end", "shrink_axis", "ellipsis", "new_axis")}
    parts: list[slice | int | EllipsisType | None] = []
    for at, (first, last, by) in enumerate(zip(begin.tolist(), end.tolist(), step.tolist(), strict=True)):
        bit = 1 << at
        if (masks["ellipsis"] | masks["new_axis"]) & bit:
            parts.append(... if masks["ellipsis"] & bit else None)
            continue
        start, stop = None if masks["begin"] & bit else first, None if masks["end"] & bit else last
        parts.append(first if masks["shrink_axis"] & bit else slice(start, stop, by))
    return x[tuple(parts)]


def _axes(value: np.ndarray) -> tuple[int, ...]:
    return tuple(np.atleast_1d(value).tolist())


def _reduced(compute: Callable[..., object]) -> Callable[[GraphNode, list[np.ndarray]], object]:
    return lambda node, values: compute(values[0], axis=_axes(values[1]), keepdims=node.attrs["keep_dims"].b)


def _gather(node: GraphNode, values: list[np.ndarray]) -> np.ndarray | None:
    x, indices, axis = values
    return None if node.attrs["batch_dims"].i or np.any(indices < 0) else np.take(x, indices, int(axis))


def _squeezed(node: GraphNode, values: list[np.ndarray]) -> np.ndarray:
    return np.squeeze(values[0], tuple(node.attrs["squeeze_dims"].list.i) or None)


_COMPUTE: dict[str, Callable[[GraphNode, list[np.ndarray]], object]] = {
    "Add": lambda node, values: values[0] + values[1],
    "AddV2": lambda node, values: values[0] + values[1],
    "Sub": lambda node, values: values[0] - values[1],
    "Mul": lambda node, values: values[0] * values[1],
    "Maximum": lambda node, values: np.maximum(*values),
    "Minimum": lambda node, values: np.minimum(*values),
    "Pack": lambda node, values: np.stack(values, node.attrs["axis"].i),
    "ConcatV2": lambda node, values: np.concatenate(values[:-1], int(values[-1])),
    "Range": lambda node, values: np.arange(*(int(value) for value in values)),
    "Prod": _reduced(np.prod),
    "Sum": _reduced(np.sum),
    "Max": _reduced(np.max),
    "Min": _reduced(np.min),
    "All": _reduced(np.all),
    "Any": _reduced(np.any),
    "FloorDiv": lambda node, values: values[0] // values[1],
    "FloorMod": lambda node, values: values[0] % values[1],
    "Equal": lambda node, values: values[0] == values[1],
    "NotEqual": lambda node, values: values[0] != values[1],
    "Less": lambda node, values: values[0] < values[1],
    "LessEqual": lambda node, values: values[0] <= values[1],
    "Greater": lambda node, values: values[0] > values[1],
    "GreaterEqual": lambda node, values: values[0] >= values[1],
    "LogicalAnd": lambda node, values: values[0] & values[1],
    "LogicalOr": lambda node, values: values[0] | values[1],
    "LogicalNot": lambda node, values: ~values[0],
    "Cast": lambda node, values: values[0],
    "Tile": lambda node, values: np.tile(values[0], values[1]),
    "Squeeze": _squeezed,
    "GatherV2": _gather,
    "Select": lambda node, values: np.where(*values) if values[0].shape == values[1].shape else None,
    "SelectV2": lambda node, values: np.where(*values),
    "Where": lambda node, values: np.argwhere(values[0]),
    "Reshape": lambda node, values: values[0].reshape(values[1]),
    "ExpandDims": lambda node, values: np.expand_dims(values[0], int(values[1])),
    "Fill": lambda node, values: np.full(values[0], values[1]),
    "Slice": _slice,
    "StridedSlice": _strided,
    "Identity": lambda node, values: values[0],
}  # fmt: skip
