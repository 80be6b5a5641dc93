"""Compares the types of a built graph with those of the program. A disagreement is a bug in the compiler.

The graph decides what a program computes, but literals, casts and messages follow the program's types. TensorFlow may
know less or more about a shape, but a dtype, rank or size known to both must be equal.
"""

from collections.abc import Sequence

from ..diagnostics import BUG
from ..program import Node
from ..types import ALL_DTYPES, TensorType, shape_text
from .failures import failure
from .tf import tf

_DTYPES = {name: tf.as_dtype(name) for name in ALL_DTYPES}


def agree(node: Node, values: Sequence) -> None:
    """Compare what a node became with its outputs in the program. A disagreement is an internal error."""
    outputs = node.outputs
    made = sum(not isinstance(value, tf.Operation) for value in values)
    if len(outputs) != made:
        reason = f"{node.op} has {made} outputs in the graph, and {len(outputs)} in the program"
        raise failure(BUG, node.origin, reason=reason)
    for type, value in zip(outputs, values, strict=False):
        if isinstance(value, tf.Tensor):
            dtype = value._dtype
            sizes, is_unknown = value._shape  # creating a `TensorShape` for each of thousands of nodes is slow
            sizes = None if is_unknown else sizes
        else:
            dtype = value.dtype
            sizes = None if value.shape.rank is None else value.shape.as_list()
        expected = _DTYPES[type.dtype.name]  # a v1 reference variable has a reference dtype
        if (expected is not dtype and expected is not dtype.base_dtype) or not _fits(type, sizes):
            found = f"{dtype.name}{shape_text(None if sizes is None else tuple(map(_size, sizes)))}"
            raise failure(BUG, node.origin, reason=f"{node.op} is {found} in the graph, and {type} in the program")


def _fits(type: TensorType, sizes: Sequence[int | None] | None) -> bool:
    if sizes is None or type.shape is None:
        return True
    if len(sizes) != len(type.shape):
        return False
    for own, size in zip(type.shape, sizes):
        if own != size and own.__class__ is int and size is not None and size >= 0:
            return False
    return True


def _size(size: int | None) -> int | None:
    return None if size is None or size < 0 else size
