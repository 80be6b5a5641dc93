"""The op table: one row for every op that `.tfg` programs can call by name.

A row describes an op completely: its parameters and the types of its outputs, how batches and gradients go
through it, how it is lowered and drawn, and its TensorFlow symbol. The shape rules are next to the rows. This
package does not depend on TensorFlow: the lowering calls the symbol.
"""

from . import (
    activations,
    arrange,
    array,
    bands,
    boxes,
    checks,
    fourier,
    gradient,
    images,
    index,
    initializers,
    linalg,
    loops,
    losses,
    math,
    mean_losses,
    morphology,
    normalize,
    pictures,
    random,
    reductions,
    schedules,
    signals,
    stored,
    strings,
    variables,
    windows,
)
from .op import Op

# In the order of the list that `tfdsl ops` prints.
_TABLES = (
    math,
    reductions,
    array,
    stored,
    arrange,
    index,
    linalg,
    bands,
    fourier,
    signals,
    activations,
    windows,
    morphology,
    normalize,
    losses,
    mean_losses,
    random,
    initializers,
    variables,
    gradient,
    loops,
    schedules,
    checks,
    strings,
    images,
    pictures,
    boxes,
)

OPS: dict[str, Op] = {op.name: op for table in _TABLES for op in table.OPS}
assert len(OPS) == sum(len(table.OPS) for table in _TABLES), "an op has two rows"
