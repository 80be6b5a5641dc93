"""Feeds that only make sense together: the indices, values and shape of a sparse tensor, and the values and row splits
of a ragged one."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..lowering.tf import Operand, v1

_ROWS = 2  # for unknown sizes


def grouped(tensors: Mapping[str, Operand], shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray | list[int]]:
    """What is fed to the parts of sparse and ragged tensors: numbers, or for values only their shape. `tensors` are the
    placeholders by name, and `shapes` those whose sizes the user gave."""
    found: dict[str, np.ndarray | list[int]] = {}
    for name in tensors:
        prefix, _, part = name.rpartition("/")
        if part == "indices" and f"{prefix}/values" in tensors:
            found |= _sparse(prefix, tensors, shapes)
        elif part == "row_splits_0" and f"{prefix}/flat_values" in tensors:
            found |= _ragged(prefix, tensors)
    return found


def _sparse(
    prefix: str, tensors: Mapping[str, Operand], shapes: Mapping[str, Sequence[int]]
) -> Iterator[tuple[str, np.ndarray | list[int]]]:
    """A sparse tensor with an element in its first and one in its last place, or with as many elements as the user
    wants, in the order of its places."""
    indices, values, shape = (f"{prefix}/{one}" for one in ("indices", "values", "shape"))
    sizes = _sizes(tensors[indices], tensors.get(shape))
    given = shapes.get(values) or shapes.get(indices)
    count = min(given[0] if given else 2, int(np.prod(sizes)))
    places = np.unravel_index(np.linspace(0, np.prod(sizes) - 1, count).astype(int), sizes)
    yield indices, np.stack(places, axis=1).astype(np.int64)
    yield values, [count]
    if shape in tensors:
        yield shape, np.array(sizes, np.int64)


def _sizes(indices: Operand, shape: Operand | None) -> list[int]:
    """The sizes of a sparse tensor: those of its placeholder, and those that an op needs."""
    sizes: list[int | None] = [None] * ((indices.shape[1] if indices.shape.rank == 2 else None) or 2)
    if shape is not None and shape.op.type == "PlaceholderWithDefault" and shape.op.inputs[0].op.type == "Const":
        default = v1.make_ndarray(shape.op.inputs[0].op.get_attr("value")).tolist()
        sizes = [size if size > 0 else None for size in default]
    for user in indices.consumers():
        if user.type == "SparseTensorDenseMatMul" and user.inputs[3].shape.rank == 2:
            at, other = (0 if user.get_attr(f"adjoint_{side}") else 1 for side in "ab")
            sizes[at] = sizes[at] or user.inputs[3].shape[1 - other]
    return [size or _ROWS for size in sizes]


def _ragged(prefix: str, tensors: Mapping[str, Operand]) -> Iterator[tuple[str, np.ndarray | list[int]]]:
    """A ragged tensor whose rows have one and two elements in turn."""
    count, level = _ROWS, 0
    while f"{prefix}/row_splits_{level}" in tensors:
        splits = np.cumsum([0, *(1 + at % 2 for at in range(count))])
        name = f"{prefix}/row_splits_{level}"
        yield name, splits.astype(tensors[name].dtype.as_numpy_dtype)
        count, level = int(splits[-1]), level + 1
    values = tensors[f"{prefix}/flat_values"]
    inner: list[int | None] = values.shape.as_list()[1:] if values.shape.rank else []
    yield f"{prefix}/flat_values", [count, *(size or _ROWS for size in inner)]
