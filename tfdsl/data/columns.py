"""Makes a table from the columns of a file.

Input: blocks of rows, each block as its columns. Output: a `Table` with finite numbers only.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ..diagnostics import COLUMN_CELL
from .arrays import Gathered, Spool, Table, converted_target
from .schema import DataError, FilePlace, shown


def table_of_columns(
    blocks: Iterable[Iterable[np.ndarray]], names: Sequence[str], target: str | None, path: str, stream: bool
) -> Table:
    """The rows of a file. `names` are its column names, and `target` is one of them or None. The target has one dtype
    in all blocks. With `stream` the rows stay in unnamed files."""
    at = None if target is None else names.index(target)
    features = Spool(len(names) - (at is not None), np.float64) if stream else Gathered(len(names))
    targets, done = None, 0
    for block in blocks:
        columns = [_numbers(name, column, path, done) for name, column in zip(names, block, strict=True)]
        features.add(np.column_stack([column for i, column in enumerate(columns) if i != at]))
        if at is not None:
            values = converted_target(columns[at])
            targets = targets or (Spool if stream else Gathered)(1, values.dtype.type)
            targets.add(values)
        done += len(columns[0])
    return Table(features.array(), done, None if targets is None else targets.array(), path)


def _numbers(name: str, column: np.ndarray, path: str, first: int) -> np.ndarray:
    """Check that a column has no gaps and is finite. `first` is the number of its first row in the file."""
    if column.dtype.kind == "O":  # bools with gaps
        column = np.array([np.nan if cell is None else float(cell) for cell in column])
    bad = ~np.isfinite(column)
    if bad.any():
        row = int(np.argmax(bad))
        cell = "missing" if np.isnan(column[row]) else str(column[row])
        raise DataError(COLUMN_CELL, place=FilePlace(path), row=first + row, column=shown(name), cell=cell)
    return column
