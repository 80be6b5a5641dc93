"""What the transforms of a data set have learned, and how other rows are transformed with it.

Input: a pipeline, or the plain JSON of one. Output: `Fitted`, whose `apply` transforms the rows of another table.
Columns are matched by name. Columns that no feature needs may lack: the target, those set aside, and those that are
dropped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..diagnostics import FITTED_COLUMNS, FITTED_DTYPE
from ..record import Record
from ..types import BOOL, STRING
from .schema import DataError, Schema, listed, shown
from .transforms.base import ColumnTransform, Learned, gap_error

if TYPE_CHECKING:
    import numpy as np

    from .tables import Block, Function, Table, Words


class FittedStep(Record):
    """A transform with its arguments, the schema before it, and what it has learned."""

    transform: ColumnTransform
    arguments: Mapping[str, object]
    before: Schema
    after: Schema
    learned: Learned


class Fitted(Record):
    """The transforms of the data set `name`: the schema of its source, each step, and the schema of the result."""

    name: str
    source: Schema
    steps: tuple[FittedStep, ...]
    result: Schema

    def needed(self) -> frozenset[str]:
        """The columns of the source that the features are made of."""
        needed = set()
        for column in self.source.table:
            kept = [one for one in self.source.table if one != column]
            made = self._made(one.name for one in kept)
            if any(one.name not in made for one in self.result.features):
                needed.add(column.name)
        return frozenset(needed)

    def matched(self, other: Schema) -> Schema:
        """The schema of the result for the rows of another source. Refuses columns that differ."""
        own = {column.name: column for column in self.source.table}
        names = [column.name for column in other.table]
        needed = self.needed()
        lacking = [name for name in own if name in needed and name not in names]
        foreign = [name for name in names if name not in own]
        if lacking or foreign:
            raise DataError(FITTED_COLUMNS, param="data", data=self.name, lacking=listed(lacking) or "none",
                            foreign=listed(foreign) or "none")  # fmt: skip
        for column in other.table:
            wanted = own[column.name]
            if column.gaps == other.rows and column.shape == wanted.shape:
                continue  # without any value it may be of numbers or text
            if column.shape != wanted.shape or (column.dtype == STRING) != (wanted.dtype == STRING):
                raise DataError(FITTED_DTYPE, param="data", column=shown(column.name), data=self.name,
                                dtype=str(wanted.dtype), found=str(column.dtype))  # fmt: skip
        made = self._made(names)
        gaps = sum(column.gaps for column in other.table)
        table = tuple(replace(column, gaps=gaps, ends=None) for column in self.result.table if column.name in made)
        return replace(other, table=table, named=self.result.named)

    def _made(self, names: Iterable[str]) -> set[str]:
        """The columns of the result that can be made of some columns of the source."""
        made = set(names)
        for step in self.steps:
            uses = step.transform.uses(step.arguments, step.before, step.after)
            made = {name for name, used in uses.items() if used <= made}
        return made

    def function(self, words: "Words") -> "tuple[Function, Words]":
        """The transforms one after the other."""
        order = [column.name for column in self.source.table]
        words = {**dict.fromkeys((one.name for one in self.source.table if one.dtype == STRING), ()), **words}
        functions: list[Function] = []
        for step in self.steps:
            function, words = step.transform.function(step.arguments, step.before, step.learned, words)
            functions.append(function)

        def transformed(block: "Block") -> "Block":
            block = {name: _as(block[name], self.source, name) for name in order if name in block}
            for function in functions:
                block = function(block)
            return block

        return transformed, words

    def check(self, table: "Table") -> "list[Unseen]":
        """Refuse rows with missing cells where a transform needs values. Returns the categories that were not
        learned."""
        unseen: list[Unseen] = []
        own = set(table.block(slice(0, 1)))
        for at, step in enumerate(self.steps):
            earlier = replace(self, steps=self.steps[:at])
            before = table.mapped(*earlier.function(table.words))
            if step.transform.needs_complete:
                _check_complete(before, step, self.name)
            unseen += _unseen(before, step, own)
        return unseen


class Unseen(Record):
    """Categories of a column that were not learned: in how many cells, and some of them."""

    column: str
    cells: int
    some: tuple[str, ...]


def _as(cells: Any, schema: Schema, name: str) -> Any:
    """Numbers in the dtype that they had when the transforms learned."""
    column = schema.column(name)
    assert column is not None  # an own column
    if column.dtype == STRING and cells.dtype.kind == "f":  # nothing but missing cells
        return (cells != cells).astype("int32") * -1
    if column.dtype == STRING or column.shape or column.dtype == BOOL:
        return cells
    return cells.astype("float64") if column.dtype.name == "float32" else cells


def _check_complete(table: "Table", step: FittedStep, data: str) -> None:
    """Refuse missing cells where a transform needs values."""
    from .arrays import missing

    if not step.transform.needs_complete:
        return
    first = set(table.block(slice(0, 1)))
    columns = [one for one in step.transform.worked_on(step.arguments, step.before) if one.name in first]
    found = missing(table, columns)
    if found is not None:
        name, row = found
        column = next(one for one in columns if one.name == name)
        raise gap_error(column, row, table.place(row, name), f"{step.transform.name} of {data}")


def _unseen(table: "Table", step: FittedStep, own: set[str]) -> Iterator[Unseen]:
    """The categories of text columns that a step has not learned."""
    for name, known in step.learned.get("categories", {}).items():
        words = table.words.get(name, ()) if name in own else ()
        new = [code for code, word in enumerate(words) if word not in known]
        if not new:
            continue
        counts = sum(_count(block[name], new) for _, block in table.blocks())
        if counts:
            yield Unseen(name, counts, tuple(words[code] for code in new[:3]))


def _count(cells: "np.ndarray", codes: Sequence[int]) -> int:
    import numpy as np

    return int(np.isin(cells, codes).sum())


def to_json(fitted: Fitted) -> dict[str, Any]:
    """Plain JSON."""
    return {
        "columns": [
            {"name": one.name, "dtype": one.dtype.name, "shape": list(one.shape), "role": one.role}
            for one in fitted.source.table
        ],
        "steps": [
            {
                "name": step.transform.name,
                "arguments": {name: _plain(value) for name, value in step.arguments.items()},
                "learned": step.learned,
            }
            for step in fitted.steps
        ],
    }


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value
