"""Windows of series: rows that are each made of several rows of a table.

Input: a table whose rows are in their order, and the lengths of windows. Output: a table with a row for each window, at
the place of the row that is its target. A window never spans two parts of a split or two groups, and has no row of
which the one before is in another part. New rows may lack the target: then windows go to the last row, and those whose
target would come after it have the place of the last row, and how far ahead of it they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..diagnostics import SERIES_ORDER
from .schema import DataError, FilePlace
from .tables import BLOCK, Block, Rows, Table, Words, absent, matrix

_BLOCK_NUMBERS = 1 << 21  # in the windows of a block


@dataclass(frozen=True)
class WindowForm:
    """Windows of `size` rows that begin every `stride` rows. The target is `horizon` rows after the last one."""

    size: int
    horizon: int
    stride: int


@dataclass(frozen=True)
class WindowRows:
    """The rows of windows as a source of columns. A window begins at `starts` in `ordered`, which has the rows of the
    table, those of a series side by side. `kept` are at the row `targets`, other columns at the last row. If it has a
    name, the column `ahead` has how many rows after this row the target is."""

    table: Table
    name: str
    columns: Sequence[str]
    form: WindowForm
    ordered: np.ndarray
    starts: np.ndarray
    targets: np.ndarray
    kept: frozenset[str]
    ahead: tuple[str, np.ndarray] | None = None

    @property
    def rows(self) -> int:
        return len(self.starts)

    @property
    def words(self) -> Words:
        return self.table.words

    @property
    def origin(self) -> str:
        return self.table.source.origin

    @property
    def streamed(self) -> bool:
        return self.table.source.streamed

    @property
    def synthetic(self) -> bool:
        return self.table.source.synthetic

    def read(self, rows: Rows) -> Block:
        members = self.ordered[self.starts[rows][:, None] + np.arange(self.form.size)]
        targets = self.targets[rows]
        needed, places = np.unique(np.concatenate([members.reshape(-1), targets]), return_inverse=True)
        if len(needed) and needed[-1] - needed[0] == len(needed) - 1:
            block = self.table.block(slice(int(needed[0]), int(needed[-1]) + 1))
        else:
            block = self.table.block(needed)
        inside, at = np.split(places.reshape(-1), [members.size])
        inside = inside.reshape(members.shape)
        result: Block = {}
        for name, column in block.items():
            if name == self.columns[0]:
                result[self.name] = matrix(block, self.columns)[inside]
            if name not in self.columns or name in self.kept:
                result[name] = column[at if name in self.kept else inside[:, -1]]
        if self.ahead is not None:
            name, steps = self.ahead
            result[name] = steps[rows]
        return result

    def place(self, row: int, column: str) -> FilePlace | None:
        is_kept = column in self.kept
        at = self.targets[row] if is_kept else self.ordered[self.starts[row] + self.form.size - 1]
        return self.table.place(int(at), column if column != self.name else self.columns[0])


def windowed(
    table: Table, name: str, columns: Sequence[str], form: WindowForm, by: str | None, kept: frozenset[str],
    has_target: bool, ahead: str = "",
) -> Table:  # fmt: skip
    """A table of windows of `columns`, which become the column `name`. `by` is the column of groups. Without a target
    windows go to the last row, and all columns are those of this row; or, if `ahead` names a column, those that are
    `kept` are of the row of the target, or of the last one, and `ahead` has how many rows after it the target is."""
    _check_order(table)
    ordered, ends = series_in(table, None if by is None else groups_in(table, by)[1])
    begins = np.insert(ends[:-1], 0, 0)
    horizon = form.horizon if has_target else 0
    lasts = ends - form.size - horizon + 1
    found = [np.arange(begin, last, form.stride) for begin, last in zip(begins, lasts, strict=True)]
    starts = np.concatenate(found).astype(np.int64) if found else np.zeros(0, np.int64)
    aims = starts + form.size - 1 + (form.horizon if ahead else horizon)
    last = ends[np.searchsorted(ends, starts, side="right")] - 1 if len(starts) else starts
    steps, targets = np.maximum(aims - last, 0), ordered[np.minimum(aims, last)]
    order = np.argsort(targets, kind="stable")
    starts, targets, steps = starts[order], targets[order], steps[order]
    kept = kept if has_target or ahead else frozenset()
    source = WindowRows(table, name, columns, form, ordered, starts, targets, kept, (ahead, steps) if ahead else None)
    part_of = _part_of(table)[targets]
    parts = tuple((part, np.flatnonzero(part_of == number)) for number, (part, _) in enumerate(table.parts, 1))
    largest = max(1, min(BLOCK, _BLOCK_NUMBERS // (form.size * len(columns))))
    return replace(Table(source, len(starts), table.words), parts=parts, largest=largest)


def group_sizes(table: Table, by: str) -> list[tuple[str, int]]:
    """The values of a column as text, "" for a missing one, in the order of their first rows. Each has the number of
    rows in its longest series: its rows in one part of a split, or all of them."""
    found, of_row = groups_in(table, by)
    ordered, ends = series_in(table, of_row)
    longest, firsts = np.zeros(len(found), np.int64), np.full(len(found), table.rows)
    np.maximum.at(longest, of_row[ordered[ends - 1]], np.diff(ends, prepend=0))
    np.minimum.at(firsts, of_row, np.arange(table.rows))
    order, gaps, words = np.argsort(firsts), absent(found), table.words.get(by)
    texts = [
        "" if gaps[at] else number_text(found[at].item()) if words is None else words[int(found[at])] for at in order
    ]
    return list(zip(texts, longest[order].tolist(), strict=True))


def groups_in(table: Table, by: str) -> tuple[np.ndarray, np.ndarray]:
    """The different values of a column, and which of them each row has."""
    values = np.concatenate([block[by] for _, block in table.blocks()])
    found, of_row = np.unique(values, return_inverse=True)
    return found, of_row.reshape(-1)


def series_in(table: Table, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a table, those of a series side by side, and where each series ends. `groups` has the group of each
    row."""
    ordered = np.arange(table.rows) if groups is None else np.argsort(groups, kind="stable")
    changes = np.diff(_part_of(table)[ordered]) != 0
    if groups is not None:
        changes |= np.diff(groups[ordered]) != 0
    return ordered, np.append(np.flatnonzero(changes) + 1, table.rows)


def _part_of(table: Table) -> np.ndarray:
    """The part of each row, counted from 1; 0 for a row in none."""
    found = np.zeros(table.rows, np.int64)
    for number, (_, rows) in enumerate(table.parts, 1):
        found[rows] = number
    return found


def number_text(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.15g}"


def _check_order(table: Table) -> None:
    """Refuse rows that are not in their order."""
    if table.chosen is not None and (np.diff(table.chosen) < 0).any():
        raise DataError(SERIES_ORDER, what="shuffle mixes them", way="put shuffle after it")
    if any((np.diff(rows) < 0).any() for _, rows in table.parts):
        way = "write split(..., ordered=true); or by=... in split and in windows, with the column that separates series"
        raise DataError(SERIES_ORDER, what="split draws them at random", way=way)
