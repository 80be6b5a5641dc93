"""The part of a SavedModel that makes the fields of data from the columns of its source.

Input: the placeholders of an `export` with their fields, and what the data has learned. Output: a graph with an input
for each column that is needed: float32 [rows], or float64 if float32 is too coarse for the transforms, nan for a
missing cell; or string [rows], an empty text for a missing cell. It computes in float64, as the data of a program does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...data.learned import Fitted
from ...data.schema import Column, shown
from ...lowering.tf import Operand, tf, v1
from ...program import Export, Field, Ref
from ...types import STRING, TensorType


@dataclass(frozen=True, slots=True)
class DataGraph:
    """The graph, its inputs by column, the columns and the values of the placeholders, and the op that prepares its
    tables, if it has some."""

    definition: v1.GraphDef
    inputs: Mapping[str, str]
    columns: Mapping[Ref, tuple[str, ...]]
    values: Mapping[Ref, str]
    prepare: str


def data_graph(
    statement: Export, types: Mapping[Ref, TensorType | None], fitted: Callable[[str], Fitted], scope: str
) -> DataGraph:
    """The graph of a statement. All its nodes are in a scope. `types` has those of the placeholders."""
    with tf.Graph().as_default() as graph, tf.name_scope(scope):
        inputs: dict[str, tf.Tensor] = {}
        columns, values = {}, {}
        for ref, field in statement.made:
            one = fitted(field.data)
            needed = one.sources_of(field.field)
            columns[ref] = tuple(column.name for column in needed)
            precise = {name for _, other in statement.made for name in fitted(other.data).precise()}
            for column in needed:
                if column.name not in inputs:
                    dtype = tf.float64 if column.name in precise else tf.float32
                    dtype = tf.string if column.dtype == STRING else dtype
                    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in column.name)
                    inputs[column.name] = v1.placeholder(dtype, [None, *column.shape], f"column_{name}")
            raw = {
                column.name: cells if cells.dtype == tf.string else tf.cast(cells, tf.float64)
                for column in needed
                for cells in [inputs[column.name]]
            }
            values[ref] = _field(one.in_graph(raw, tf), one.result.columns_of(field.field), field, types[ref]).name
        tables = graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS)
        prepare = tf.group(*tables, name="prepare").name if tables else ""
    return DataGraph(graph.as_graph_def(), {name: one.name for name, one in inputs.items()}, columns, values, prepare)


def _field(
    columns: Mapping[str, Operand], wanted: tuple[Column, ...], field: Field, type: TensorType | None
) -> tf.Tensor:
    """A field of data with the dtype of its placeholder."""
    assert type is not None  # of a placeholder
    dtype = tf.as_dtype(type.dtype.name)
    if field.field not in ("features", "target") or wanted[0].shape:
        made = columns[wanted[0].name]
    else:
        cells = [columns[one.name] for one in wanted]
        made = tf.stack([one if one.dtype == tf.string else tf.cast(one, tf.float64) for one in cells], 1)
    if made.dtype != tf.string:
        names = ", ".join(shown(one.name)[1:-1] for one in wanted[:3]) + (" ..." if len(wanted) > 3 else "")
        message = f"{names}: a cell is missing, or a number is not finite, in {field.data}.{field.field}"
        made = tf.debugging.check_numerics(tf.cast(made, tf.float32), message) if made.dtype == tf.float64 else made
        made = tf.not_equal(made, 0) if dtype == tf.bool else tf.cast(made, dtype)
    return tf.identity(made)
