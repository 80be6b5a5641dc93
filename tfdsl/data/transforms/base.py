"""Defines a transform of data.

Input: the arguments of a declaration, and the schema of the data before. Output: the schema after it; and the rows that
it chooses, or a function from blocks of the columns before to blocks of the columns after. `tfdsl check` imports the
modules of transforms, so they import NumPy inside functions.

Transforms compute in float64 and agree with the corresponding transforms of scikit-learn. What a transform learns, such
as a mean, it learns from the training rows, as a plain JSON value. A column of ones from `add_bias` stays unchanged.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ...diagnostics import (
    COLUMN_AGAIN,
    COLUMN_GAP,
    COLUMN_TWICE,
    CSV_COLUMN_TYPO,
    DATA_AFTER_SPLIT,
    NO_COLUMNS_LEFT,
    NO_FIT_COLUMN,
    NOT_FIT_COLUMN,
    UNKNOWN_COLUMN,
    Message,
)
from ...diagnostics.spelling import nearest
from ...ops.op import REQUIRED
from ...record import replace
from ...types import BOOL, STRING, TF, Operand
from ..plain import JsonPart
from ..schema import Column, DataError, FilePlace, Schema, listed, row_at, shown, sizes
from ..stage import Arguments, StageKind, written

if TYPE_CHECKING:
    from ..tables import Function, Table, Words

Learned = Mapping[str, Any]  # plain JSON, whose form `checked` of the same transform knows
Tensors = dict[str, Operand]  # columns
Readable = Mapping[str, Mapping[str, Any]]  # by word and column: numbers, texts, or lists of them, as the word says
_SHOWN_COLUMNS = 6  # in a message
_ANY_COLUMNS = '"a", "b", ...'


class Facts(Protocol):
    """What only the data itself says. It is read when a schema asks."""

    @property
    def rows(self) -> int:
        """The rows after the transform."""
        ...

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """The parts after the transform, with their rows."""
        ...

    @property
    def learned(self) -> Learned:
        """What the transform has learned."""
        ...

    def words(self, column: str) -> Sequence[str]:
        """The different texts of a column before the transform."""
        ...

    def doubt(self, message: Message, place: FilePlace | None = None, /, **details: object) -> None:
        """Note a warning, of a cell if it has a place."""
        ...

    @property
    def table(self) -> "Table | None":
        """The rows before the transform. None if there are only those that it has learned from."""
        ...

    def gap(self, columns: Iterable[Column]) -> tuple[str, int, FilePlace | None] | None:
        """The first missing cell of some columns before the transform: its column, row and place."""
        ...

    def ways_out(self, column: Column, otherwise: str = "") -> str:
        """What to write for a column of text where numbers are needed, or for one of numbers where text is. `otherwise`
        is for texts that are no numbers at all."""
        ...

    def first_text(self, column: str) -> tuple[FilePlace, str] | None:
        """The place and the text of the first cell of a column of the source that is no number, if it is known."""
        ...

    @property
    def data(self) -> str:
        """The name of the data set."""
        ...

    @property
    def of_source(self) -> Arguments:
        """The arguments of the source."""
        ...

    @property
    def is_declared(self) -> bool:
        """Whether the program declares the data, so that it can say how it is read."""
        ...


class FewFacts:
    """Facts of a transform whose schema is made again: nothing is reported, and cells are not looked at."""

    __slots__ = ()

    def words(self, column: str) -> Sequence[str]:
        return ()

    def doubt(self, message: Message, place: FilePlace | None = None, /, **details: object) -> None:
        pass  # it was noted when the schema was made first

    def gap(self, columns: Iterable[Column]) -> None:
        return None

    def ways_out(self, column: Column, otherwise: str = "") -> str:
        return ""

    def first_text(self, column: str) -> None:
        return None

    @property
    def data(self) -> str:
        return ""

    @property
    def of_source(self) -> Arguments:
        return {}

    @property
    def is_declared(self) -> bool:
        return True


def near_column(name: object, before: Schema) -> str:
    """A help line for an argument that names no column. "" if none is alike."""
    close = nearest(name, [one.name for one in before.table]) if isinstance(name, str) else None
    return f"did you mean {shown(close)}?" if close else ""


class Transform(StageKind):
    """A transform. Its positional arguments are names of columns if `takes_columns` is true."""

    of_rows = False  # it chooses rows and does not change them
    remakes_rows = False  # its rows are not those before it
    divides = False  # it splits rows into parts
    learns = False
    takes_columns = False
    needs_complete = False  # no missing cell in the columns that it works on
    needs_columns = False  # at least one name
    none_fits = ""  # what to do if no column fits
    takes_condition = False  # on columns
    keeps_others = True  # the columns that it does not name
    removes = False  # the columns that it names
    takes_data = False  # another data set

    @property
    def usage(self) -> str:
        if not self.takes_columns:
            return super().usage
        # Values by position are columns, so the others have their names.
        named = [f"{p.name}={'...' if p.default is REQUIRED else written(p.default)}" for p in self.params]
        return ", ".join([_ANY_COLUMNS, *named])

    def bound(self, arguments: Arguments) -> dict[str, object]:
        if not self.takes_columns:
            return super().bound(arguments)
        columns = arguments.get("columns", ())
        assert isinstance(columns, Iterable)
        return {"columns": tuple(columns), **super().bound(arguments)}

    @abstractmethod
    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        """The schema of the result. Checks every argument."""

    def not_empty(self, schema: Schema) -> Schema:
        """Refuse a table without columns."""
        if not schema.table:
            raise DataError(NO_COLUMNS_LEFT, name=self.name)
        return schema

    def wanted(
        self, arguments: Arguments, before: Schema, fits: Callable[[Column], bool] = lambda column: True,
        what: str = "columns", facts: Facts | None = None,
    ) -> tuple[Column, ...]:  # fmt: skip
        """The columns that the arguments name, or all features that fit. `what` describes those that fit. With `facts`,
        they may have no missing cells, if the transform needs all, and errors say what to write."""
        names = arguments.get("columns") or ()
        assert isinstance(names, tuple)
        if not names:
            chosen = tuple(one for one in before.table if one.role == "feature" and not one.is_bias and fits(one))
            if not chosen:
                raise DataError(NO_FIT_COLUMN, name=self.name, what=what, way=self._way(before, fits))
        else:
            chosen = tuple(self._named(name, before) for name in names)
            for at, (name, column) in enumerate(zip(names, chosen, strict=True)):
                if name in names[:at]:
                    raise DataError(COLUMN_AGAIN, param=f"column {name}", column=shown(name), name=self.name)
                if not fits(column):
                    kind, could_fit = _described(column), column.dtype == STRING or fits(replace(column, dtype=STRING))
                    way = facts.ways_out(column) if facts is not None and could_fit else ""
                    raise DataError(NOT_FIT_COLUMN, param=f"column {name}", column=shown(name), name=self.name,
                                    what=what, kind=kind, way=way)  # fmt: skip
        if facts is not None and self.needs_complete:
            self.need_complete(chosen, facts)
        return chosen

    def _way(self, before: Schema, fits: Callable[[Column], bool]) -> str:
        """A help line where no feature fits."""
        several = next((one for one in before.table if one.role == "feature" and one.shape), None)
        if several is not None and fits(replace(several, shape=())):
            return (
                f"{shown(several.name)} has several numbers per row: put {self.name} before the transform that makes it"
            )
        other = next((one for one in before.table if fits(one) and not one.is_bias), None)
        if other is None and self.none_fits:
            return self.none_fits
        if other is None or not self.takes_columns:
            kinds = [f"{shown(one.name)} is {_described(one)}" for one in before.table if one.role == "feature"]
            own = ", ".join(kinds[:_SHOWN_COLUMNS]) + (", ..." if len(kinds) > _SHOWN_COLUMNS else "")
            named = next((one for one in before.table if one.role == "feature" and self.fits_named(one)), None)
            return own if named is None else f"{own}; name those that are meant: {self._call(named)}"
        what = "the target" if other.role == "target" else "set aside"
        return f"{shown(other.name)} is {what}: name it, if it is meant: {self._call(other)}"

    def _call(self, column: Column) -> str:
        return f"{self.name}({self.usage.replace(_ANY_COLUMNS, shown(column.name))})"

    def fits_named(self, column: Column) -> bool:
        """Whether it takes a column where it is named, but not otherwise."""
        return False

    def _named(self, name: object, before: Schema) -> Column:
        if not isinstance(name, str):
            self.refuse({"columns": name}, "columns", "the name of a column, in quotes")
        column = before.column(name)
        if column is None:
            raise self.unknown(name, before, self.names_at(name))
        return column

    def unknown(self, name: str, before: Schema, param: str) -> DataError:
        """The error for a column that does not exist."""
        names = [one.name for one in before.table]
        if close := nearest(name, names):
            return DataError(CSV_COLUMN_TYPO, param=param, column=shown(name), close=shown(close))
        return DataError(UNKNOWN_COLUMN, param=param, column=shown(name), columns=listed(names), way="")

    def names_at(self, name: str) -> str:
        """The parameter to blame for a column."""
        return f"column {name}"

    def need_complete(self, columns: Iterable[Column], facts: Facts) -> None:
        """Refuse missing cells."""
        doubted = [column for column in columns if column.gaps]
        found = facts.gap(doubted) if doubted else None
        if found is not None:
            name, row, place = found
            raise gap_error(next(column for column in doubted if column.name == name), row, place, self.name)


class RowTransform(Transform):
    """A transform that chooses rows."""

    of_rows = True

    def keeps_order(self, arguments: Arguments) -> bool:
        """Whether a split cuts a series in pieces that are whole."""
        return False

    @abstractmethod
    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        """The table with its rows, with arguments checked by `schema`."""

    def need_undivided(self, before: Schema) -> None:
        """Refuse rows that are already split."""
        if before.parts:
            raise DataError(
                DATA_AFTER_SPLIT,
                name=self.name,
                way="leave it out: one split makes all parts, as in split(test=0.2, validation=0.2)",
            )


class ColumnMaker(Transform):
    """A transform that makes columns of others."""

    def learns_with(self, arguments: Arguments) -> bool:
        """Whether it learns from rows, with these arguments."""
        return self.learns

    def uses(self, arguments: Arguments, before: Schema, after: Schema, learned: Learned) -> dict[str, frozenset[str]]:
        """For each column after the transform the columns before it that it is made of."""
        own = {column.name for column in before.table}
        worked_on = frozenset(column.name for column in self.worked_on(arguments, before))
        return {one.name: frozenset((one.name,)) if one.name in own else worked_on for one in after.table}

    @abstractmethod
    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        """The columns that it works on."""

    def learn(self, arguments: Arguments, before: Schema, table: "Table") -> Learned:
        """Learn from the training rows of a table."""
        return {}

    words: tuple[str, ...] = ()  # by which programs read what it has learned of a column, as in `data.mean("age")`

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        """What it has learned, by these words and by column."""
        return {}

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        """What it has learned, from a file. Refuses all that `learn` cannot return."""
        learned.fields()
        return {}

    @abstractmethod
    def applied(self, arguments: Arguments, before: Schema, learned: Learned, table: "Table") -> "Table":
        """A table with its columns. The table may lack some of the columns before it."""

    def check_rows(
        self, arguments: Arguments, before: Schema, table: "Table", data: str, has_target: bool = True
    ) -> None:
        """Refuse rows that it cannot transform with what `data` has learned. The table may lack some of the columns
        before it, and without a target its cells too."""
        from ..arrays import missing

        there = set(table.block(slice(0, 1)))
        needed = [one for one in self.complete(arguments, before) if one.name in there]
        columns = {one.name: one for one in needed if has_target or one.role != "target"}
        found = missing(table, columns.values())
        if found is not None:
            name, row = found
            raise gap_error(columns[name], row, table.place(row, name), f"{self.name} of {data}", data)

    def cut(self, arguments: Arguments, before: Schema, table: "Table") -> int:
        """How many texts of rows it cuts."""
        return 0

    def complete(self, arguments: Arguments, before: Schema) -> tuple[Column, ...]:
        """The columns in which new rows may lack no cell."""
        return self.worked_on(arguments, before) if self.needs_complete else ()

    @abstractmethod
    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        """The same in a graph of TensorFlow: columns of float64 or string to columns of float64, int64 or string.
        Columns that nothing needs may lack."""

    def confused(
        self, arguments: Arguments, before: Schema, learned: Learned, words: Callable[[str], Iterable[str]]
    ) -> tuple[str, str] | None:
        """A column whose cells a graph cannot tell apart, and why. `words` has the texts of a column before it."""
        return None

    def precise(self, arguments: Arguments, before: Schema, learned: Learned) -> Iterable[str]:
        """The columns of numbers that a graph needs in float64, as float32 would lose what it tells apart."""
        return ()

    def emptied(self, learned: Learned) -> tuple[tuple[str, float], ...]:
        """The columns that become 0 everywhere, with the value that all training rows had."""
        return ()


class ColumnTransform(ColumnMaker):
    """A transform that computes each row from the same row."""

    @abstractmethod
    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        """The function, and the words of the text columns after it."""

    def applied(self, arguments: Arguments, before: Schema, learned: Learned, table: "Table") -> "Table":
        return table.mapped(*self.function(arguments, before, learned, table.words))


class OutsideGraph(ColumnMaker):
    """A transform that no graph can do."""

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        raise AssertionError(f"the analysis refuses {self.name}")


class SeriesTransform(OutsideGraph):
    """A transform that makes each row of several rows of a series. A split cuts the series before."""

    remakes_rows = True

    def rows_there(self, arguments: Arguments, table: "Table", rows: int) -> str:
        """The rows that are too few, for a message."""
        return str(rows)

    @abstractmethod
    def rows_needed(self, arguments: Arguments, has_target: bool) -> str:
        """How many rows make one, for a message: "5 rows that follow each other"."""

    @abstractmethod
    def doubts(self, arguments: Arguments, table: "Table", has_target: bool, data: str = "") -> Iterator[DataError]:
        """Warnings of rows that seem to be no whole series in their order. `data` is what the transform belongs to, if
        that is another data set."""

    @abstractmethod
    def ahead(self, before: Schema) -> Column:
        """The column that new rows without a target have besides: how many rows the target is after the row whose
        columns are set aside."""

    @abstractmethod
    def applied_ahead(self, arguments: Arguments, before: Schema, table: "Table") -> "Table":
        """A table of new rows without a target, with its columns and this one."""


class NamedColumns(ColumnTransform):
    """A transform of the columns that it names, of any kind."""

    takes_columns = True
    needs_columns = True

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted(arguments, before, facts=facts)


EMPTY_TEXT = "an empty text is a value in the data, and a missing cell for a model"


def _described(column: Column) -> str:
    """What a column is, for a message."""
    return f"{column.dtype}{sizes(column.shape)} a row" if column.shape else str(column.dtype)


def gap_error(column: Column, row: int, place: FilePlace | None, what: str, learned_by: str = "") -> DataError:
    """The error for a missing cell where a value is needed, by what the data set `learned_by` has learned if it is
    named."""
    name, usual = shown(column.name), "most_frequent" if column.dtype == STRING else "median"
    if learned_by:
        way = "give it a value in the file, or leave the row out"
        if column.role == "target":
            way += "; or leave target= out where these rows are declared, if they are only predicted"
        else:
            way += f'; or write | fill({name}, with="{usual}") where {learned_by} is declared, and train again'
    elif column.role == "target":
        test = column.name if column.field == column.name else f"column({name})"
        way = f"keep the rows that have it: | where({test} == {test})"
    elif column.dtype == STRING:
        way = f'write before it: | fill({name}, with="most_frequent"), or with a text; or drop({name})'
    else:
        way = f'write before it: | fill({name}, with="median"), or with a number; or drop({name})'
    return DataError(COLUMN_GAP, place=place, row=row_at(row, place), column=name, what=what, way=way)


def is_scalable(column: Column) -> bool:
    """Whether a column has numbers that can be scaled."""
    return column.is_number and column.dtype != BOOL


def computed(before: Schema, columns: Iterable[Column], learned: bool, **changes: object) -> Schema:
    """A schema in which some columns have new numbers. `changes` has fields of a column."""
    names = {column.name for column in columns}

    def change(column: Column) -> Column:
        if column.name not in names:
            return column
        return replace(column, is_computed=True, is_learned=learned or column.is_learned, **changes)

    return before.with_columns(change)


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Names of which none comes twice: the second `a` becomes `a (2)`."""
    seen, result = set(taken), list[str]()
    for name in names:
        number, made = 1, name
        while made in seen:
            number += 1
            made = f"{name} ({number})"
        seen.add(made)
        result.append(made)
    return tuple(result)


def check_names(schema: Schema) -> Schema:
    """Refuse two columns with one name."""
    seen: set[str] = set()
    for column in schema.table:
        if column.name in seen:
            raise DataError(COLUMN_TWICE, column=shown(column.name))
        seen.add(column.name)
    return schema
