"""Building blocks of shape rules, and rules that many ops share.

A shape rule computes the type of an op's result like TensorFlow's shape inference: it takes an `OpCall` and
returns the type. Rules do not use TensorFlow; a test compares every row with TensorFlow's inference. A rule for a
few rows is next to them.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import prod
from typing import TypeVar

from ..diagnostics import (
    AXIS_RANGE,
    BROADCAST,
    EMPTIED,
    EMPTY_LIST,
    LENGTH,
    NEGATIVE,
    NEW_AXIS,
    PAIRED,
    RANK,
    RANK_UNKNOWN,
    SHAPES_DIFFER,
    SIZES_DIFFER,
)
from ..types import DTYPES, FLOAT32, FLOAT64, Dim, DType, Nested, Shape, SizeClash, TensorType
from .op import OpCall

COMPLEX64, COMPLEX128 = DTYPES["complex64"], DTYPES["complex128"]

# One or several integers, such as axes.
Whole = int | list[int] | tuple[int, ...]
_Value = TypeVar("_Value")

# --- What rules are made of -------------------------------------------------------------------


def number(call: OpCall, dim: Dim) -> int | None:
    """A size as a number, if it is one."""
    dim = call.sizes.resolve(dim)
    return dim if isinstance(dim, int) else None


def product(call: OpCall, dims: Iterable[Dim]) -> int | None:
    """The product of sizes, if all of them are known."""
    known = all_known(number(call, dim) for dim in dims)
    return None if known is None else prod(known)


def all_known(values: Iterable[int | None]) -> list[int] | None:
    """The numbers, if all of them are known."""
    numbers: list[int] = []
    for value in values:
        if value is None:
            return None
        numbers.append(value)
    return numbers


def listed(value: Whole) -> list[int]:
    """An argument that can be one number or several, as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def wanted_rank(call: OpCall, param: str, rank: int, wanted: object = None) -> tuple[Dim, ...]:
    """The sizes of an argument that must have this rank. All are unknown if its rank is unknown."""
    shape = call[param].shape
    if shape is None:
        return (None,) * rank
    if len(shape) != rank:
        call.fail(RANK, param, param=param, wanted=rank if wanted is None else wanted, type=call[param])
    return shape


def least_rank(call: OpCall, param: str, rank: int) -> Shape:
    """The shape of an argument that must have at least this rank."""
    shape = call[param].shape
    if shape is not None and len(shape) < rank:
        call.fail(RANK, param, param=param, wanted=f"{rank} or more", type=call[param])
    return shape


def clear_rank(call: OpCall, param: str) -> tuple[Dim, ...]:
    """The shape of an argument whose rank must be known."""
    shape = call[param].shape
    if shape is None:
        call.fail(RANK_UNKNOWN, param, param=param, type=call[param])
    return shape


def axis_in(call: OpCall, axis: int, rank: int, param: str) -> int:
    """An axis counted from 0, for an argument or result of this rank."""
    if not -rank <= axis < rank:
        shown = call[param] if isinstance(call[param], TensorType) else param
        call.fail(AXIS_RANGE, param, axis=axis, type=shown, rank=rank)
    return axis % rank


def new_axis_in(call: OpCall, axis: int, rank: int, param: str) -> int:
    """The position, counted from 0, of a new axis in an argument of this rank."""
    if not -rank - 1 <= axis <= rank:
        shown = call[param] if isinstance(call[param], TensorType) else param
        call.fail(NEW_AXIS, param, axis=axis, type=shown, rank=rank)
    return axis % (rank + 1)


def same_size(call: OpCall, left: Dim, right: Dim, *params: str) -> Dim:
    """The common value of two sizes."""
    return call.same(left, right, SIZES_DIFFER, *params)


def merge(call: OpCall, left: Shape, right: Shape, first: str, second: str) -> Shape:
    """The common shape of two arguments."""
    details = {"first": first, "second": second, "a": call[first], "b": call[second]}
    return _merged(call, left, right, (first, second), **details)


def merge_list(call: OpCall, param: str) -> Shape:
    """The common shape of the tensors in a list."""
    tensors = call[param]
    if not tensors:
        call.fail(EMPTY_LIST, param, param=param)
    result = None
    for i, tensor in enumerate(tensors):
        details = {"first": f"{param}[0]", "second": f"{param}[{i}]", "a": tensors[0], "b": tensor}
        result = _merged(call, result, tensor.shape, (param,), **details)
    return result


def _merged(call: OpCall, left: Shape, right: Shape, params: tuple[str, ...], **details: object) -> Shape:
    if left is None or right is None:
        return right if left is None else left
    try:
        if len(left) == len(right):
            return tuple(map(call.sizes.same, left, right))
    except SizeClash:
        pass
    call.fail(SHAPES_DIFFER, *params, **details)


def broadcast_shapes(call: OpCall, left: Shape, right: Shape, *params: str, a: object, b: object) -> Shape:
    """The shape that two shapes broadcast to. The error shows `a` and `b`."""
    if left is None or right is None:
        return None
    if left == right or not left:  # the usual cases
        return right
    rank = max(len(left), len(right))
    left = (1,) * (rank - len(left)) + left
    right = (1,) * (rank - len(right)) + right
    try:
        return tuple(map(call.sizes.broadcast, left, right))
    except SizeClash as clash:
        call.fail(BROADCAST, *params, a=a, b=b, left=clash.left, right=clash.right)


def broadcast(call: OpCall, *params: str) -> Shape:
    """The shape that the given arguments broadcast to."""
    given = [name for name in params if call[name] is not None]
    if len(given) == 2:  # the usual cases
        left, right = call[given[0]].shape, call[given[1]].shape
        if left == right or right == ():
            return left
        if left == ():
            return right
    for first, second in combinations(given, 2):
        doubt_pairs(call, first, second, call[first].shape, call[second].shape)
        _doubt_empty(call, first, second)
    known = [name for name in given if call[name].shape is not None]
    result: Shape = ()
    for name in known:
        a = call[given[0]] if [name] == given[1:2] else TensorType(call[name].dtype, result)
        result = broadcast_shapes(call, result, call[name].shape, *given, a=a, b=call[name])
    return result if len(known) == len(given) else None


def doubt_pairs(call: OpCall, first: str, second: str, left: Shape, right: Shape) -> None:
    """Warn of two arguments whose broadcasting pairs each row of one with every row of the other."""
    if left is None or right is None or len(left) == len(right):
        return
    for tall, short, shapes in ((first, second, (left, right)), (second, first, (right, left))):
        axes = call.sizes.paired(*shapes)
        if axes is not None:
            call.warn(PAIRED, tall, short, a=call[tall], b=call[short], axes=axes, shapes=shapes)


def _doubt_empty(call: OpCall, first: str, second: str) -> None:
    """Warn of a size of 1 that becomes 0, as in `[] + [1.0]`."""
    left, right = call[first].shape or (), call[second].shape or ()
    if left == right:
        return
    pairs = [{number(call, a), number(call, b)} for a, b in zip(reversed(left), reversed(right))]
    if {0, 1} in pairs:
        axis = len(pairs) - 1 - pairs.index({0, 1})
        call.warn(EMPTIED, first, second, a=call[first], b=call[second], axis=axis)


def without(shape: Sequence[Dim], axes: Iterable[int]) -> tuple[Dim, ...]:
    """A shape without some of its axes."""
    gone = set(axes)
    return tuple(dim for i, dim in enumerate(shape) if i not in gone)


def replaced(shape: Sequence[Dim], axis: int, *dims: Dim) -> tuple[Dim, ...]:
    """A shape with one axis replaced by these sizes."""
    return (*shape[:axis], *dims, *shape[axis + 1 :])


def option(call: OpCall, param: str, *allowed: object) -> object:
    """An argument that must have one of a few values."""
    return call.option(param, *allowed)


def length(call: OpCall, param: str, values: Sequence[_Value], wanted: int) -> Sequence[_Value]:
    """A list of numbers with a required length."""
    if len(values) != wanted:
        call.fail(LENGTH, param, param=param, wanted=wanted, count=len(values))
    return values


def given_shape(call: OpCall, param: str = "shape", is_vector: bool = True) -> Shape:
    """The shape in an argument, without negative sizes."""
    shape = call.shape(param, is_vector)
    for dim in shape or ():
        if (number(call, dim) or 0) < 0:
            call.fail(NEGATIVE, param, param=param, value=dim, least=0)
    return shape


def count(call: OpCall, param: str) -> Dim:
    """A size given by an argument. None if it is unknown at compile time."""
    wanted_rank(call, param, 0)
    value = call.known(param)
    if isinstance(value, int) and value < 0:
        call.fail(NEGATIVE, param, param=param, value=value, least=0)
    return value


def flat(values: Nested) -> list[int]:
    """The integers in nested lists."""
    if isinstance(values, (list, tuple)):
        return [one for value in values for one in flat(value)]
    return [values] if isinstance(values, int) else []


# --- Rules that only say which argument the result is like ------------------------------------


def like(param: str, rank: int = 0):
    """The type of one argument, which must have at least the given rank."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(call[param].dtype, least_rank(call, param, rank))

    return rule


def like_in(param: str, group: str | DType):
    """The shape of one argument, with the dtype of a letter of the signature or with a fixed dtype."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(result_dtype(call, group), call[param].shape)

    return rule


def like_list(param: str):
    """The types of a list of tensors, unchanged."""

    def rule(call: OpCall) -> tuple[TensorType, ...]:
        return tuple(call[param])

    return rule


def scalar(group: str | DType = "T"):
    """A scalar for all arguments."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(result_dtype(call, group), ())

    return rule


def nothing(call: OpCall) -> tuple[()]:
    """An operation without output."""
    return ()


def result_dtype(call: OpCall, group: str | DType) -> DType:
    return group if isinstance(group, DType) else call.dtype(group)


def as_dtype(param: str, dtype: str = "dtype"):
    """The shape of one argument, with the dtype given by another."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(call[dtype], call[param].shape)

    return rule


# --- Element by element, and along axes -------------------------------------------------------


def elementwise(*params: str, dtype: str | DType = "T"):
    """Element by element with broadcasting."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(result_dtype(call, dtype), broadcast(call, *params))

    return rule


def real_of(dtype: DType) -> DType:
    """The dtype of the parts of a complex dtype. Other dtypes are returned unchanged."""
    return {COMPLEX64: FLOAT32, COMPLEX128: FLOAT64}.get(dtype, dtype)


def complex_of(dtype: DType) -> DType:
    """The complex dtype with parts of this dtype."""
    return {FLOAT32: COMPLEX64, FLOAT64: COMPLEX128}.get(dtype, dtype)


def real_like(param: str):
    """The shape of one argument. A complex dtype becomes the dtype of its parts."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(real_of(call[param].dtype), call[param].shape)

    return rule


def reduced_shape(call: OpCall, param: str, axes: Whole | None, keep: bool) -> Shape:
    """A shape reduced over axes, or over all axes if `axes` is none."""
    shape = call[param].shape
    if axes is None:
        return () if not keep else None if shape is None else (1,) * len(shape)
    if shape is None:
        return None
    gone = {axis_in(call, axis, len(shape), param) for axis in listed(axes)}
    return tuple(1 if i in gone else dim for i, dim in enumerate(shape)) if keep else without(shape, gone)


def reduction(param: str = "input_tensor", dtype: str | DType = "T", real: bool = False):
    """A reduction over `axis`, with `keepdims`. With `real`, complex numbers give a real result."""

    def rule(call: OpCall) -> TensorType:
        result = result_dtype(call, dtype)
        shape = reduced_shape(call, param, call["axis"], call["keepdims"])
        return TensorType(real_of(result) if real else result, shape)

    return rule


def along_axis(param: str, rank: int = 0, axis: str = "axis"):
    """The type of one argument, unchanged. `axis` must name axes of it."""

    def rule(call: OpCall) -> TensorType:
        shape = least_rank(call, param, rank)
        if shape is not None and call[axis] is not None:
            for one in listed(call[axis]):
                axis_in(call, one, len(shape), param)
        return TensorType(call[param].dtype, shape)

    return rule
