"""Declared data as arrays.

Input: a `data` declaration (`table.Spec`), and perhaps what replaces its source: the path of a file, or
Python data. Output: a `Dataset` of the sizes, dtypes and names that `table.schema_of` says.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from ..access import Access
from .arrays import Dataset, Table, dataset, table
from .schema import at_stage
from .table import TRANSFORMS, Row, Spec, Step, is_path, python_arrays, schemas_of, source_of


def load(spec: Spec, *, replacement: object = None, access: Access | None = None) -> Dataset:
    schemas = schemas_of(spec, replacement, access)  # checks every argument, before anything is made
    with at_stage(0):
        made = _source(spec, replacement, access)
    emptied = []
    for at in _in_order(spec.transforms):
        step = spec.transforms[at]
        row = TRANSFORMS[step.name]
        made = implementation(row)(made, **row.bound(step.arguments))
        emptied += [(step.name, schemas[at].names[column], value) for column, value in made.emptied]
        made = replace(made, emptied=())
    with at_stage(len(spec.transforms)):
        return replace(dataset(made, schemas[-1]), emptied=tuple(emptied))


def _in_order(steps: Sequence[Step]) -> Sequence[int]:
    """The transforms, by their places, in the order in which they are done: with a split, all that choose rows come
    first.

    The others make each row from the same row, so the rows are the same ones; but what the others learn, they learn
    from the training rows.
    """
    places = range(len(steps))
    if not any(step.name == "split" for step in steps):
        return places
    return sorted(places, key=lambda at: not TRANSFORMS[steps[at].name].of_rows)


def _source(spec: Spec, replacement: object, access: Access | None) -> Table:
    if replacement is None or is_path(replacement):
        row, arguments, where = source_of(spec, replacement, access)
        return implementation(row)(where, **arguments)
    return table(*python_arrays(spec.name, replacement), "data given from Python")


def implementation(row: Row) -> Callable[..., Table]:
    """The function that makes the arrays of a source or transform."""
    module, function = row.implementation.split(".")
    return getattr(import_module(f".{module}", __package__), function)
