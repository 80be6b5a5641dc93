"""The op table: every op that `.tfg` programs can call by name, one row each.

Nothing here knows TensorFlow. A row says what an op takes, what type it gives, and which
TensorFlow symbol stands behind it; calling that symbol is the lowering's business.
"""

from . import (
    table_array,
    table_check,
    table_graph,
    table_image,
    table_init,
    table_linalg,
    table_math,
    table_nn,
    table_random,
    table_reduce,
    table_state,
    table_text,
)
from .op import Op

_TABLES = (
    table_math,
    table_reduce,
    table_array,
    table_linalg,
    table_nn,
    table_random,
    table_init,
    table_state,
    table_graph,
    table_check,
    table_text,
    table_image,
)

OPS: dict[str, Op] = {op.name: op for table in _TABLES for op in table.ROWS}
assert len(OPS) == sum(len(table.ROWS) for table in _TABLES), "an op has two rows"
