"""Splits the rows into parts."""

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...diagnostics.spelling import counted
from ...record import replace
from ..schema import PARTS, Schema, is_integer, is_number
from ..stage import Arguments, whole
from .base import Facts, RowTransform, near_column

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Table


class Split(RowTransform):
    name = "split"
    signature = (
        "test: number = 0.2, seed: integer = 42, validation: number = none, by: text = none, ordered: flag = false, "
        "folds: integer = none, fold: integer = none"
    )
    example = "data iris = iris() | split(test=0.2, validation=0.1)"
    doc = (
        "Divides the rows at random into `.train` and `.test`, and into `.validation` if its share is given; "
        "`.features` keeps all rows. Other transforms learn from `.train`, wherever `split` is. Rows with the same "
        "value in the column `by` stay in one part. With `ordered`, the last rows are for the test, and those before "
        "them for the validation; if the first fold is the test, the last rows are for the validation. With `folds`, "
        "the rows are divided into that many parts of equal size, and the part number `fold`, counted from 0, is the "
        "test."
    )
    divides = True
    excludes = MappingProxyType({"folds": ("test",), "ordered": ("seed",)})

    def keeps_order(self, arguments: Arguments) -> bool:
        return arguments["ordered"] is True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        self.need_undivided(before)
        seed = arguments["seed"]
        is_share = is_number(seed) and 0 < seed < 1
        self.check_seed(arguments, f"for a part for validation: validation={seed:g}" if is_share else "")
        by, ordered = arguments["by"], arguments["ordered"]
        if not isinstance(ordered, bool):
            self.refuse(arguments, "ordered", "true or false")
        if by is not None:
            column = before.column(by) if isinstance(by, str) else None
            if column is None:
                wanted = "the name of a column; put split before transforms that change it"
                self.refuse(arguments, "by", wanted, near_column(by, before))
            if column.is_learned or column.shape != ():
                self.refuse(
                    arguments,
                    "by",
                    "a column with the values of the source; put split before transforms that change it",
                )
            if ordered:
                way = "sort the rows by time and leave out by; or leave out ordered, to test on whole groups"
                self.refuse(arguments, "by", "left out, as ordered keeps the order of the rows", way)
        shares = self._shares(arguments, before.rows)
        if by is not None:
            parts = facts.parts
        else:
            counts = self._counts(arguments, before.rows, shares)
            parts = tuple((name, counts[name]) for name in PARTS if name in counts)
        for name, rows in parts:
            if rows == 0:
                wanted = f"so that each part has some of {counted(before.rows, 'row')}; .{name} would have none"
                self.refuse(arguments, "folds" if arguments["folds"] is not None else "test", wanted)
        return replace(before, parts=parts)

    def _shares(self, arguments: Arguments, rows: int) -> tuple[float, float]:
        """The shares of test and validation. Checks them."""
        test, validation = arguments["test"], arguments["validation"]
        folds, fold = arguments["folds"], arguments["fold"]
        if validation is not None and (not is_number(validation) or not 0 < validation < 1):
            self.refuse(arguments, "validation", "a number above 0 and below 1", _share(validation, "validation", rows))
        share = validation if is_number(validation) else 0.0
        if folds is None and fold is None:
            if not is_number(test) or not 0 < test < 1:
                self.refuse(arguments, "test", "a number above 0 and below 1", _share(test, "test", rows))
            if not is_number(share) or test + share >= 1:
                way = f"both are shares of the rows: {test:g} and {share:g} together must be below 1"
                self.refuse(arguments, "validation", "small enough to leave rows for training", way)
            if math.ceil(test * rows) + math.ceil(share * rows) >= rows:
                self.refuse(arguments, "test", f"small enough to leave some of {counted(rows, 'row')}")
            return test, share
        if not is_integer(folds) or not 2 <= folds <= rows:
            self.refuse(arguments, "folds", f"an integer from 2 to {rows}, the number of rows")
        if not is_integer(fold) or not 0 <= fold < folds:
            self.refuse(arguments, "fold", f"an integer from 0 to {folds - 1}")
        return 1 / folds, share

    def _counts(self, arguments: Arguments, rows: int, shares: tuple[float, float]) -> dict[str, int]:
        """The number of rows, or of groups, of each part."""
        test, validation = shares
        if is_integer(folds := arguments["folds"]) and is_integer(fold := arguments["fold"]):
            tested = rows // folds + (fold < rows % folds)
        else:
            tested = math.ceil(test * rows)
        counts = {"test": tested}
        if validation:
            counts["validation"] = math.ceil(validation * rows)
        return {"train": max(0, rows - sum(counts.values())), **counts}

    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        """The same rows as train_test_split(test_size=test, random_state=seed), or KFold, in the same order."""
        import numpy as np

        shares, by = self._shares(arguments, table.rows), arguments["by"]
        if not isinstance(by, str):
            return table.divided(self._parts(arguments, table.rows, shares))
        values = np.concatenate([block[by] for _, block in table.blocks()])
        groups = np.unique(values, return_inverse=True)[1].reshape(-1)
        parts = self._parts(arguments, int(groups.max()) + 1, shares)
        return table.divided(tuple((name, np.flatnonzero(np.isin(groups, chosen))) for name, chosen in parts))

    def _parts(
        self, arguments: Arguments, rows: int, shares: tuple[float, float]
    ) -> "tuple[tuple[str, np.ndarray], ...]":
        import numpy as np

        counts = self._counts(arguments, rows, shares)
        tested, checked = counts["test"], counts.get("validation", 0)
        if arguments["ordered"]:
            order = np.arange(rows)[::-1]
        else:
            order = np.random.RandomState(whole(arguments, "seed")).permutation(rows)
        folds, fold = arguments["folds"], arguments["fold"]
        first = 0
        if is_integer(folds) and is_integer(fold):
            order = order[::-1] if arguments["ordered"] else order
            first = fold * (rows // folds) + min(fold, rows % folds)
        test = order[first : first + tested]
        rest = np.concatenate([order[:first], order[first + tested :]])
        if arguments["ordered"] and is_integer(folds):  # those before the test, or the last if the test comes first
            rest = np.concatenate([order[:first][::-1], order[first + tested :][::-1]])
        parts = {"train": rest[checked:], "test": test} | ({"validation": rest[:checked]} if checked else {})
        if arguments["ordered"] or is_integer(folds):
            parts = {name: np.sort(chosen) for name, chosen in parts.items()}
        return tuple((name, parts[name]) for name in PARTS if name in parts)


def _share(value: object, name: str, rows: int) -> str:
    """A help line for a part that is given by a number of rows, or by something else."""
    if is_integer(value) and 1 <= value < rows:
        return f"it is a share of {counted(rows, 'row')}: write {name}={value / rows:.3g} for about {value} of them"
    return f"it is a share of the rows: write for example {name}=0.2"


TRANSFORM = Split()
