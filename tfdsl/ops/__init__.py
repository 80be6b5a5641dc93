"""The op table: every op that `.tfg` programs can call by name, one row each.

A row says all of an op: what it takes and what type it gives, how a batch and a gradient go through it, how it is
lowered and drawn, and which TensorFlow symbol stands behind it. The shape rules stand beside the rows. Nothing here
knows TensorFlow: calling that symbol is the lowering's business.
"""

from . import (
    activations,
    arrange,
    array,
    checks,
    fourier,
    gradient,
    images,
    index,
    initializers,
    linalg,
    losses,
    math,
    normalize,
    random,
    reductions,
    strings,
    variables,
    windows,
)
from .op import Op

# In the order in which `tfdsl ops` lists them.
_TABLES = (
    math,
    reductions,
    array,
    arrange,
    index,
    linalg,
    fourier,
    activations,
    windows,
    normalize,
    losses,
    random,
    initializers,
    variables,
    gradient,
    checks,
    strings,
    images,
)

OPS: dict[str, Op] = {op.name: op for table in _TABLES for op in table.OPS}
assert len(OPS) == sum(len(table.OPS) for table in _TABLES), "an op has two rows"
