"""Declared data as arrays.

Input: a `data` declaration (`table.Spec`), and perhaps what replaces its source: the path of a file, or
Python data. Output: a `Dataset` of the sizes, dtypes and names that `table.schema_of` says.
"""

from collections.abc import Callable, Sequence
from importlib import import_module

from ..access import Access
from .arrays import Dataset, Table, dataset, table
from .schema import at_stage
from .table import TRANSFORMS, Row, Spec, Step, is_path, python_arrays, schema_of, source_of


def load(spec: Spec, *, replacement: object = None, access: Access | None = None) -> Dataset:
    schema = schema_of(spec, replacement, access)  # checks every argument, before anything is made
    with at_stage(0):
        made = _source(spec, replacement, access)
    for step in _in_order(spec.transforms):
        row = TRANSFORMS[step.name]
        made = implementation(row)(made, **row.bound(step.arguments))
    with at_stage(len(spec.transforms)):
        return dataset(made, schema)


def _in_order(steps: Sequence[Step]) -> Sequence[Step]:
    """The transforms in the order in which they are done: with a split, all that choose rows come first.

    The others make each row from the same row, so the rows are the same ones; but what the others learn, they learn
    from the training rows.
    """
    if not any(step.name == "split" for step in steps):
        return steps
    return sorted(steps, key=lambda step: not TRANSFORMS[step.name].of_rows)


def _source(spec: Spec, replacement: object, access: Access | None) -> Table:
    if replacement is None or is_path(replacement):
        row, arguments, where = source_of(spec, replacement, access)
        return implementation(row)(where, **arguments)
    return table(*python_arrays(spec.name, replacement), "data given from Python")


def implementation(row: Row) -> Callable[..., Table]:
    """The function that makes the arrays of a source or transform."""
    module, function = row.implementation.split(".")
    return getattr(import_module(f".{module}", __package__), function)
