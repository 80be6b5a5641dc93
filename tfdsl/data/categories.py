"""Categories of a column, which `categories` and `one_hot` share.

Categories are the texts or the whole numbers of the training rows, in order.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..diagnostics import ALIKE_CATEGORIES, MANY_CATEGORIES, NEARLY_NUMBERS, NO_ROWS, NUMBERS_AS_TEXT, UNSEEN_CATEGORY
from ..diagnostics.spelling import counted
from ..record import Record
from ..types import INT64, STRING, TF, Operand
from .advice import (
    as_numbers,
    columns_with,
    date_form,
    have_leading_zeros,
    is_declared_text,
    is_finite,
    is_written_number,
    odd_cell,
    parts_of_dates,
)
from .plain import JsonPart
from .schema import Column, DataError, Schema, shown
from .stage import Arguments
from .transforms.base import EMPTY_TEXT, ColumnTransform, Facts, Learned, Readable

if TYPE_CHECKING:
    import numpy as np

    from .tables import Table

SOME = 3  # categories in a message
_FEW = 20  # categories, of which there can be one for each row


class Categorical(ColumnTransform):
    """A transform that learns the categories of columns: of all columns of text if none is named."""

    learns = True
    takes_columns = True
    needs_complete = True
    words = ("categories",)

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        return {"categories": learned["categories"]}

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        columns = self.worked_on(arguments, before)
        fields = learned.fields("categories")["categories"].fields(*(column.name for column in columns))
        found = {}
        for column in columns:
            field = fields[column.name]
            values = field.texts() if column.dtype == STRING else [one.integer() for one in field.items()]
            if not values or values != sorted(set(values)):
                field.refuse("a list of different categories in their order")
            found[column.name] = values
        return {"categories": found}

    def fits_named(self, column: Column) -> bool:
        return column.shape == () and column.dtype == INT64

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        # Whole numbers have categories only where they are named.
        dtypes = (STRING, INT64) if arguments.get("columns") else (STRING,)
        fits = "columns of text" + ("" if dtypes == (STRING,) else " or of whole numbers")
        return self.wanted(arguments, before, lambda one: one.shape == () and one.dtype in dtypes, fits, facts)

    def learn(self, arguments: Arguments, before: Schema, table: "Table") -> Learned:
        import numpy as np

        found = {}
        names = [column.name for column in self.worked_on(arguments, before)]
        parts = [{name: np.unique(block[name]) for name in names} for block in table.training_blocks()]
        if not parts:
            raise DataError(NO_ROWS)
        for name in names:
            values = np.unique(np.concatenate([part[name] for part in parts])).tolist()
            known = table.words.get(name)
            found[name] = values if known is None else sorted(known[int(code)] for code in values if code >= 0)
        return {"categories": found}

    def confused(
        self, arguments: Arguments, before: Schema, learned: Learned, words: Callable[[str], Iterable[str]]
    ) -> tuple[str, str] | None:
        for name, values in learned["categories"].items():
            if "" in values:
                return name, EMPTY_TEXT
            large = next((one for one in values if isinstance(one, int) and int(float(one)) != one), None)
            if large is not None:
                return name, f"{large} is a category, and a model takes numbers as float64, which cannot hold it"
        return None

    def precise(self, arguments: Arguments, before: Schema, learned: Learned) -> Iterable[str]:
        found = learned["categories"].items()
        return [name for name, values in found if any(isinstance(one, int) and not _is_float32(one) for one in values)]

    def doubt(self, columns: Iterable[Column], facts: Facts) -> None:
        """Warn of columns that have another category in nearly every row, such as names and dates, of those whose cells
        are numbers that were read as text, of categories that are written in two ways, and of those that only the other
        parts have."""
        rows, source = dict(facts.parts).get("train", facts.rows), facts.of_source
        for column in columns:
            if column.dtype == STRING:
                self._doubt_numbers(column.name, facts)
        many: set[str] = set()
        for name, found in facts.learned["categories"].items():
            if len(found) > _FEW and 2 * len(found) > rows:
                many.add(name)
                form = date_form([one for one in found if isinstance(one, str)])
                way = f"| drop({shown(name)}) leaves it out"
                way = way if form is None else f"write | {parts_of_dates(shown(name), form)}"
                facts.doubt(MANY_CATEGORIES, name=self.name, count=len(found), column=shown(name), rows=rows, way=way)
            elif not is_declared_text(name, source) and (alike := _alike(found)):
                one, other = map(shown, alike[0])
                more = f", and so of {counted(len(alike) - 1, 'other pair')}" if len(alike) > 1 else ""
                way = f"; if not, {columns_with({name: STRING.name}, source)} says so" if "columns" in source else ""
                facts.doubt(ALIKE_CATEGORIES, name=self.name, column=shown(name), one=one, other=other, more=more,
                            way=way)  # fmt: skip
        if facts.table is not None and facts.table.parts:
            for new in unseen_in(facts.table, facts.learned["categories"]):
                if new.column not in many:
                    facts.doubt(UNSEEN_CATEGORY, column=shown(new.column), data=f"{facts.data}.train", cells=new.cells,
                                some=", ".join(map(shown, new.some)))  # fmt: skip

    def _doubt_numbers(self, name: str, facts: Facts) -> None:
        """Warn of a column of text if more than nine in ten of its cells are numbers."""
        texts, source = facts.words(name), facts.of_source
        numeric = [is_written_number(text) for text in texts]
        if not any(numeric) or have_leading_zeros(texts) or is_declared_text(name, source) or facts.table is None:
            return  # codes, or meant as text
        way = as_numbers(texts, source)
        if not way and (all(numeric) or not _is_mostly(numeric, name, facts.table)):
            return
        place, cell = facts.first_text(name) or (None, "")
        if way:
            if "columns" in source:
                way += f"; {columns_with({name: STRING.name}, source)} says that text is meant"
            written = next(text for text in (cell, *texts) if is_written_number(text) and not is_finite(text))
            facts.doubt(NUMBERS_AS_TEXT, place if cell == written else None, name=self.name, column=shown(name),
                        cell=shown(written), way=way)  # fmt: skip
        else:
            cell = cell or texts[numeric.index(False)]
            facts.doubt(NEARLY_NUMBERS, place, column=shown(name), data=facts.data, cell=shown(cell),
                        way=odd_cell(name, cell, source))  # fmt: skip


def _alike(categories: Iterable[str | int]) -> list[tuple[str, str]]:
    """Pairs of words among some categories that differ only in capitals and spaces."""
    firsts: dict[str, str] = {}
    found = []
    for one in categories:
        if not isinstance(one, str):
            continue
        between = " " if any(map(str.isdigit, one)) else ""  # which tells numbers apart
        folded = between.join(one.split()).casefold()
        if len(folded) > 1 and firsts.setdefault(folded, one) != one:  # letters can be codes
            found.append((firsts[folded], one))
    return found


def _is_mostly(of_texts: Sequence[bool], name: str, table: "Table") -> bool:
    """Whether more than nine in ten cells of a column of text are of these texts. Missing cells do not count."""
    import numpy as np

    counts = np.zeros(len(of_texts) + 1, np.int64)
    for _, block in table.blocks():
        counts += np.bincount(block[name] + 1, minlength=len(counts))
    return bool(counts[1:][np.array(of_texts)].sum() > 0.9 * counts[1:].sum())


def _is_float32(value: int) -> bool:
    """Whether float32 holds a whole number."""
    return struct.unpack("f", struct.pack("f", value))[0] == value


def category_codes(
    categories: Sequence[str | int], words: Sequence[str] | None
) -> "Callable[[np.ndarray], np.ndarray]":
    """A function from the values of a column to the numbers of their categories, -1 for others. `words` has the texts
    of its codes."""
    import numpy as np

    if words is None:
        known = np.array(categories, np.int64)

        def of_numbers(column: "np.ndarray") -> "np.ndarray":
            at = np.searchsorted(known, column).clip(max=len(known) - 1)
            return np.where(known[at] == column, at, -1).astype(np.int64)

        return of_numbers
    numbers = {text: number for number, text in enumerate(categories)}
    codes = np.array([*(numbers.get(str(word), -1) for word in words), -1], np.int64)  # a missing cell takes the last
    return lambda column: codes[column]


class Unseen(Record):
    """Categories of a column that were not learned: in how many cells, and some of them."""

    column: str
    cells: int
    some: tuple[str, ...]


def unseen_in(table: "Table", learned: Mapping[str, Sequence[str | int]]) -> Iterator[Unseen]:
    """The categories of columns of a table that were not learned. A missing cell has none."""
    import numpy as np

    own = set(table.block(slice(0, 1)))
    known = {name: values for name, values in learned.items() if name in own}
    codes = {name: category_codes(values, table.words.get(name)) for name, values in known.items()}
    counts, some = dict.fromkeys(known, 0), {name: dict[str, None]() for name in known}
    for _, block in table.blocks() if known else ():
        for name, of in codes.items():
            cells = block[name]
            is_there = cells == cells if table.words.get(name) is None else cells >= 0
            new = cells[is_there & (of(cells) < 0)]
            counts[name] += len(new)
            if len(new) and len(some[name]) < SOME:
                words, values = table.words.get(name), new[np.sort(np.unique(new, return_index=True)[1])].tolist()
                texts = [_shown_category(one) if words is None else str(words[one]) for one in values]
                some[name].update(dict.fromkeys(texts))
    for name, count in counts.items():
        if count:
            yield Unseen(name, count, tuple(some[name])[:SOME])


def _shown_category(value: float) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def numbered(tf: TF, values: Sequence[str | int], cells: Operand, first: int = 0, other: int = -1) -> Operand:
    """The numbers of texts or whole numbers among some values, in a graph of TensorFlow: int64 from `first` on, `other`
    for cells that are none of them."""
    is_text = cells.dtype == tf.string
    keys = tf.constant(list(values), tf.string if is_text else tf.int64)
    numbers = tf.range(first, first + len(values), dtype=tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, numbers), other)
    if is_text:
        return table.lookup(cells)
    whole = tf.cast(cells, tf.int64)  # of a missing cell any number, which is not equal to it
    return tf.where(tf.equal(tf.cast(whole, cells.dtype), cells), table.lookup(whole), tf.constant(other, tf.int64))
