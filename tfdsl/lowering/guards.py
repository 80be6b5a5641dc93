"""Checks in the graph for what TensorFlow kernels do not check: they crash the process or never return.

If a value is known at compile time, the rules of the op table check it, and nothing is added.
"""

from collections.abc import Mapping

import numpy as np

from ..diagnostics.spelling import counted
from .tf import Operand, tf, v1


def ranked(value: Operand, wanted: int | tuple[int | None, ...]) -> Operand:
    """A tensor with a required rank or required sizes. Those unknown at compile time are checked in the run."""
    sizes = (None,) * wanted if isinstance(wanted, int) else wanted
    if isinstance(value, (tf.Tensor, tf.Variable)):
        known = value.shape.rank is not None and value.shape.merge_with(sizes).as_list() == value.shape.as_list()
        return value if known else tf.ensure_shape(value, sizes)
    return value


def transformed(value: Operand, length: Operand, least: int, name: str, takes_none: bool = True) -> Operand:
    """The argument of a Fourier transform. It must have at least as many elements as `length` says; with `takes_none`
    it may also be empty, unless `length` is positive. `least` elements of the last axis make one number."""
    x = tf.convert_to_tensor(value)
    last = x.shape.as_list()[-1] if x.shape.rank else None
    is_said = length is None or (isinstance(length, list) and isinstance(length[0], int))
    if is_said and last is not None:
        return value
    with v1.name_scope(f"{name}_check"):
        sizes = tf.shape(x)
        count = sizes[-1] - least + 1 if length is None else tf.reshape(length, [])
        is_some = tf.logical_and(count > 0, tf.size(x) > 0)
        is_empty = tf.equal(tf.reduce_prod(sizes[:-1]), 0)
        if takes_none:
            is_none = tf.equal(sizes[-1], 0)
            is_empty = tf.logical_or(
                is_empty, is_none if length is None else tf.logical_and(is_none, tf.equal(count, 0))
            )
        return _checked(x, tf.logical_or(is_some, is_empty), "there is nothing to transform")


def not_of_zeros(value: Operand, name: str) -> tf.Tensor:
    """Matrices, none of which is all zeros."""
    x = tf.convert_to_tensor(value)
    with v1.name_scope(f"{name}_check"):
        is_some = tf.reduce_any(tf.not_equal(x, 0), axis=[-2, -1])
        is_empty = tf.equal(tf.reduce_prod(tf.shape(x)[-2:]), 0)
        return _checked(x, tf.logical_or(is_empty, tf.reduce_all(is_some)), "a matrix of zeros has no logarithm")


def definite(value: Operand, name: str) -> Operand:
    """Matrices that have a Cholesky decomposition. For others TensorFlow returns NaN, or zeros if they are complex."""
    x = tf.convert_to_tensor(value)
    if not x.dtype.is_complex:
        return value
    with v1.name_scope(f"{name}_check"):
        roots = tf.math.real(tf.linalg.diag_part(tf.linalg.cholesky(x)))
        return _checked(x, tf.reduce_all(roots > 0), "a matrix is not positive definite")


def sizes(value: Operand, name: str) -> Operand:
    """A shape whose sizes must be at least 0, where -1 stands for the remaining size."""
    if not isinstance(value, (tf.Tensor, tf.Variable)) and all(isinstance(size, int) for size in value):
        return value
    x = ranked(tf.convert_to_tensor(value), 1)
    with v1.name_scope(f"{name}_check"):
        least = tf.concat([-tf.ones_like(x[:1]), tf.zeros_like(x[1:])], 0)
        return _checked(x, tf.reduce_all(x >= least), "a size cannot be below 0")


def indices(value: Operand, updates: Operand, name: str) -> Operand:
    """Tuples of indices, each of which must have an update."""
    x, given = tf.convert_to_tensor(value), tf.convert_to_tensor(updates)
    if x.shape.rank is not None and given.shape.rank is not None:
        return value
    with v1.name_scope(f"{name}_check"):
        return _checked(
            x, tf.rank(given) >= tf.maximum(tf.rank(x) - 1, 1), "there is no update for each of the indices"
        )


def with_rows(value: Operand, count: int, name: str) -> Operand:
    """A tensor that must have at least `count` rows. The kernel reads only the rows that it draws, so an execution
    would fail only sometimes."""
    if not isinstance(value, tf.Tensor) or (value.shape.rank and value.shape.as_list()[0] is not None):
        return value
    with v1.name_scope(f"{name}_check"):
        return _checked(value, tf.shape(value)[0] >= count, f"fewer than {counted(count, 'row')}")


def same_length(tensors: list[tf.Tensor], name: str) -> list[tf.Tensor]:
    """Tensors of which all must be as long as the first one. TensorFlow drops the rest of a longer one."""
    first, *others = tensors
    sizes = {tensor.shape.as_list()[0] if tensor.shape.rank else None for tensor in tensors}
    if not others or (len(sizes) == 1 and None not in sizes):
        return tensors
    with v1.name_scope(f"{name}_check"):
        lengths = tf.stack([tf.shape(tensor)[0] for tensor in others])
        agree = tf.reduce_all(tf.equal(lengths, tf.shape(first)[0]))
        return [_checked(first, agree, "the tensors have different numbers of elements"), *others]


def holds_windows(value: Operand, window: Operand, arguments: Mapping[str, Operand], name: str) -> Operand:
    """A tensor whose axes are at least as long as the window that slides over them without padding. For a shorter axis
    of unknown size, TensorFlow's kernels return uninitialized memory or end the process."""
    if not isinstance(value, (tf.Tensor, tf.Variable)) or value.shape.rank is None:
        return value
    first = str(arguments.get("data_format") or "").startswith("NC")
    axes = range(2, value.shape.rank) if first else range(1, value.shape.rank - 1)
    if str(arguments["padding"]).upper() != "VALID" or None not in [value.shape.as_list()[axis] for axis in axes]:
        return value
    if isinstance(window, (tf.Tensor, tf.Variable, np.ndarray)):
        spread = _per_axis(arguments.get("dilations"), axes, first)
        reach = [(tf.shape(window)[at] - 1) * step + 1 for at, step in enumerate(spread)]
    else:
        reach = _per_axis(window, axes, first)
    with v1.name_scope(f"{name}_check"):
        sizes = tf.stack([tf.shape(value)[axis] for axis in axes])
        return _checked(value, tf.reduce_all(sizes >= reach), "the window is larger than the tensor it slides over")


def _per_axis(given: Operand, axes: range, first: bool) -> list[int]:
    """The numbers of the axes that a window slides along. One for all is given, or one for each axis."""
    numbers = [1] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    if len(numbers) == len(axes) + 2:
        numbers = numbers[2:] if first else numbers[1:-1]
    return numbers * (len(axes) if len(numbers) == 1 else 1)


def slices(value: Operand, variable: tf.Variable) -> Operand:
    """Slices for a variable of known rank, with the variable's sizes after the first axis, or a single number.
    Asserting the sizes is not enough: Grappler infers from the kernel that they are right."""
    wanted = variable.shape.as_list()[1:]
    is_open = isinstance(value, (tf.Tensor, tf.Variable)) and value.shape.rank
    if not wanted or not is_open or value.shape.as_list()[-len(wanted) :] == wanted:
        return value
    return tf.ensure_shape(value, [*[None] * (value.shape.rank - len(wanted)), *wanted])


def _checked(x: tf.Tensor, holds: tf.Tensor, text: str) -> tf.Tensor:
    with tf.control_dependencies([v1.Assert(holds, [text])]):
        return tf.identity(x)
