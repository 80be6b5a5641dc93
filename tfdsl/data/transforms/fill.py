"""Gives missing cells a value."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...types import STRING, TF
from ..plain import JsonPart
from ..schema import Column, Schema, is_number
from ..stage import Arguments, written
from .base import EMPTY_TEXT, ColumnTransform, Facts, Learned, Readable, Tensors, computed

if TYPE_CHECKING:
    from ..tables import Block, Function, Table, Words

MAX_FLOAT32 = 3.4028234663852886e38
_LEARNED = ("mean", "median", "most_frequent")
# What other libraries call them.
_ALIKE = {"average": "mean", "avg": "mean", "mode": "most_frequent", "most_common": "most_frequent"}


class Fill(ColumnTransform):
    name = "fill"
    signature = "with: static"
    example = 'data people = csv("people.csv", target="income") | fill("age", with="median")'
    doc = (
        'Fills missing cells of these columns; without names, of all columns that have some. `with` is "mean", '
        '"median" or "most_frequent", computed from the training rows, or the value itself. '
        "The target of new rows, which is to be predicted, stays missing."
    )
    learns = True
    takes_columns = True
    none_fits = (
        "leave it out; or name the columns that lack cells in later rows, or that are arrays of an .npz file, which "
        "is not searched for NaN before the data is used"
    )

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        value = arguments["with"]
        columns = self.worked_on(arguments, before, facts)
        for column in columns:
            is_text = column.dtype == STRING
            if value == "most_frequent":
                continue
            if is_text and (not isinstance(value, str) or value in _LEARNED):
                wanted = f'"most_frequent" or a text, as the column "{column.name}" is text'
                way = 'write with="most_frequent", or a text such as with="unknown"'
                self.refuse(arguments, "with", wanted, facts.ways_out(column, way))
            if is_number(value) and not abs(value) <= MAX_FLOAT32:
                self.refuse(arguments, "with", "a number that a column can have")
            if not is_text and not is_number(value) and value not in _LEARNED:
                wanted = f'"mean", "median", "most_frequent" or a number for "{column.name}"'
                alike = written(_ALIKE.get(value, "")) if isinstance(value, str) and value in _ALIKE else ""
                way = f"here it is called {alike}" if alike else "write: with=0" if value == "zero" else ""
                self.refuse(arguments, "with", wanted, way or facts.ways_out(column))
        return computed(before, columns, learned=value in _LEARNED, gaps=0)

    words = _LEARNED

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        return {str(arguments["with"]): learned["values"]} if self.learns_with(arguments) else {}

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        columns = self.worked_on(arguments, before)
        fields = learned.fields("values")["values"].fields(*(column.name for column in columns))
        values = {
            one.name: fields[one.name].text() if one.dtype == STRING else fields[one.name].number() for one in columns
        }
        for name, value in values.items():
            if not self.learns_with(arguments) and value != arguments["with"]:
                fields[name].refuse("the value that the arguments say")
        return {"values": values}

    def learns_with(self, arguments: Arguments) -> bool:
        return arguments["with"] in _LEARNED

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        if arguments.get("columns"):
            return self.wanted(
                arguments, before, lambda one: one.shape == (), "columns of one number or text a row", facts
            )
        return self.wanted(
            arguments, before, lambda one: one.shape == () and one.gaps > 0, "columns with missing cells", facts
        )

    def learn(self, arguments: Arguments, before: Schema, table: "Table") -> Learned:
        """Like SimpleImputer."""
        import numpy as np

        from ..tables import absent

        value, found = arguments["with"], {}
        for column in self.worked_on(arguments, before):
            if value not in _LEARNED:
                found[column.name] = value
                continue
            parts = [block[column.name] for block in table.training_blocks()]
            cells = np.concatenate([part[~absent(part)] for part in parts])
            if not len(cells):
                self.refuse(arguments, "with", f'a value, as "{column.name}" has none in the training rows')
            if value == "most_frequent":
                values, counts = np.unique(cells, return_counts=True)
                most = values[counts == counts.max()]
                found[column.name] = (
                    min(table.words[column.name][int(code)] for code in most)
                    if column.dtype == STRING
                    else float(most[0])
                )
            else:
                found[column.name] = float(np.mean(cells) if value == "mean" else np.median(cells))
        return {"values": found}

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        from ..tables import absent

        known, values = dict(words), {}
        for name, value in learned["values"].items():
            if isinstance(value, str):
                known.setdefault(name, ())
            if name in known:
                if value not in known[name]:
                    known[name] = (*known[name], value)
                values[name] = known[name].index(value)
            else:
                values[name] = value

        def filled(block: "Block") -> "Block":
            result = dict(block)
            for name, value in values.items():
                if name not in block:
                    continue
                column = block[name]
                gaps = absent(column)
                if gaps.any():  # a column of whole numbers has none, and may not hold the value
                    result[name] = np.where(gaps, column.dtype.type(value), column)
            return result

        return filled, known

    def confused(
        self, arguments: Arguments, before: Schema, learned: Learned, words: Callable[[str], Iterable[str]]
    ) -> tuple[str, str] | None:
        texts = [name for name, value in learned["values"].items() if isinstance(value, str)]
        return next(((name, EMPTY_TEXT) for name in texts if "" in words(name)), None)

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        result = dict(columns)
        for name, value in learned["values"].items():
            cells = columns.get(name)
            if cells is not None and not cells.dtype.is_integer:
                missing = tf.equal(cells, "") if isinstance(value, str) else tf.math.is_nan(cells)
                result[name] = tf.where(missing, tf.constant(value, cells.dtype), cells)
        return result


TRANSFORM = Fill()
