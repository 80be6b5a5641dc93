"""The lookup tables of the graphs of a comparison. Two tables that correspond have the same content before anything
looks something up: what the graph itself fills them with, or else a made-up content. No file is read for it."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..lowering.tf import Operand, v1
from ..record import Record

_STATIC = ("HashTable", "HashTableV2")  # which are filled once
_DENSE = ("MutableDenseHashTable", "MutableDenseHashTableV2")
TABLES = (
    *_STATIC, "MutableHashTable", "MutableHashTableV2", "MutableHashTableOfTensors", "MutableHashTableOfTensorsV2",
    *_DENSE,
)  # fmt: skip
LOOKUPS = (
    "LookupTableFind", "LookupTableFindV2", "LookupTableSize", "LookupTableSizeV2", "LookupTableExport",
    "LookupTableExportV2",
)  # fmt: skip
# The ops that fill a table with the tensors among their inputs.
FILLS = ("LookupTableImport", "LookupTableImportV2", "InitializeTable", "InitializeTableV2")
FILLS_FROM_FILES = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")

Content = tuple[np.ndarray, np.ndarray]  # the keys and values of a table


class LookupTable(Record):
    """A table of a graph, with ops that read its content, remove the placeholder `keys` with what is stored for them,
    and store `values` for them. What it stores replaces all that is there if it has no op that removes keys. `unused`
    has the keys that stand for empty places."""

    is_static: bool
    handle: Operand
    keys: Operand
    values: Operand
    fill: Operand
    content: tuple[Operand, Operand]
    remove: Operand | None
    unused: tuple[Operand, ...]


def table(operation: Operand) -> LookupTable:
    """Add the ops that replace and read the content of a table."""
    handle = operation.outputs[0]
    key, value = (v1.as_dtype(operation.get_attr(name)) for name in ("key_dtype", "value_dtype"))
    keys, values = v1.placeholder(key), v1.placeholder(value)
    is_dense = operation.type in _DENSE
    names = {"table_handle": handle, "Tkeys": key, "Tvalues": value}
    ops = v1.raw_ops
    if handle.dtype == v1.resource:
        store = ops.LookupTableInsertV2 if is_dense else ops.LookupTableImportV2
        content = ops.LookupTableExportV2(**names)
    else:
        store = ops.LookupTableInsert if is_dense else ops.LookupTableImport
        content = ops.LookupTableExport(**names)
    is_removed = is_dense and handle.dtype == v1.resource
    return LookupTable(
        is_static=operation.type in _STATIC, handle=handle, keys=keys, values=values,
        fill=store(table_handle=handle, keys=keys, values=values), content=tuple(content),
        remove=ops.LookupTableRemoveV2(table_handle=handle, keys=keys) if is_removed else None,
        unused=tuple(operation.inputs) if is_dense else (),
    )  # fmt: skip


def in_order_of_keys(content: Content, unused: Iterable[np.ndarray]) -> Content:
    """The content of a table, which TensorFlow returns in any order, and perhaps with its empty places."""
    keys, values = content
    texts = [key if isinstance(key, bytes) else key.tobytes() for key in keys]
    empty = {one.item() if one.dtype == object else one.tobytes() for one in unused}
    order = sorted((at for at, text in enumerate(texts) if text not in empty), key=texts.__getitem__)
    return keys[order], values[order]


def known_keys(handle: Operand) -> Iterator[Any]:  # as NumPy gives them: bytes or numbers
    """The constant keys that ops of the graph put into a table."""
    for user in handle.consumers():
        if user.type in FILLS and user.inputs[1].op.type == "Const":
            yield from v1.make_ndarray(user.inputs[1].op.get_attr("value")).reshape(-1).tolist()


def made_up(operation: Operand, random: np.random.Generator) -> Content:
    """A content for a table that the graph does not fill."""
    keys = _values(v1.as_dtype(operation.get_attr("key_dtype")), [2], random)
    attrs = operation.node_def.attr
    shape = [dim.size for dim in attrs["value_shape"].shape.dim] if "value_shape" in attrs else []
    return keys, _values(v1.as_dtype(operation.get_attr("value_dtype")), [2, *shape], random)


def _values(dtype: Operand, shape: list[int], random: np.random.Generator) -> np.ndarray:
    if dtype == v1.string:
        return np.resize(np.array([b"1", b"2"], dtype=object), shape)
    if dtype.is_floating:
        return random.uniform(-1, 1, shape).astype(dtype.as_numpy_dtype)
    return np.resize(np.array([0, 1]), shape).astype(dtype.as_numpy_dtype)
