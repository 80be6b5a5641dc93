"""Loads declared data into arrays.

Input: a `data` declaration (`stage.DataSpec`), and the replacement of its source, if any: a file path or Python
data. Output: a `Dataset` with the sizes, dtypes and names of `declaration.schema_of`.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..access import Access
from .arrays import Dataset, Table, dataset, table
from .declaration import is_path, python_arrays, schemas_of, source_of
from .schema import at_stage
from .stage import DataSpec, StageSpec
from .transforms import TRANSFORMS


def load(spec: DataSpec, *, replacement: object = None, access: Access | None = None) -> Dataset:
    schemas = schemas_of(spec, replacement, access)  # checks every argument before any array is made
    with at_stage(0):
        made = _source(spec, replacement, access)
    emptied = []
    for at in _in_order(spec.transforms):
        step = spec.transforms[at]
        transform = TRANSFORMS[step.name]
        made = transform.apply(made, **transform.bound(step.arguments))
        emptied += [(step.name, schemas[at].names[column], value) for column, value in made.emptied]
        made = replace(made, emptied=())
    with at_stage(len(spec.transforms)):
        return replace(dataset(made, schemas[-1]), emptied=tuple(emptied))


def _in_order(steps: Sequence[StageSpec]) -> Sequence[int]:
    """The indices of the transforms in the order of execution. With a split, transforms that choose rows come first.

    The other transforms compute each row from the same row, so the rows do not change. But they then learn from the
    training rows.
    """
    places = range(len(steps))
    if not any(TRANSFORMS[step.name].divides for step in steps):
        return places
    return sorted(places, key=lambda at: not TRANSFORMS[steps[at].name].of_rows)


def _source(spec: DataSpec, replacement: object, access: Access | None) -> Table:
    if replacement is None or is_path(replacement):
        source, arguments, where = source_of(spec, replacement, access)
        return source.load(where, **arguments)
    return table(*python_arrays(spec.name, replacement), "data given from Python")
