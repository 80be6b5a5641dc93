"""What the transforms of a data set have learned, and how other rows are transformed with it.

Input: a pipeline, or the plain JSON of one. Output: `Fitted`, whose `function` transforms the rows of another table.
Columns are matched by name. Columns that no feature needs may lack: the target, those set aside, and those that are
dropped."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..diagnostics import (
    COLUMN_GAP,
    FITTED_BOOL,
    FITTED_NAMES,
    KEY_DTYPE,
    LEARNED_FORM,
    SERIES_SHORT,
)
from ..diagnostics.spelling import counted
from ..limits import MAX_AXES
from ..ops.op import Parameter
from ..record import Record, replace
from ..types import BOOL, FLOAT32, INT64, STRING, TF, DType, Operand
from .advice import columns_with
from .categories import SOME, Unseen, category_codes, unseen_in
from .mismatch import other_columns, other_dtypes
from .plain import JsonPart
from .scaling import Scaling
from .schema import MAX_COLUMNS, Column, DataError, Role, Schema, row_at, shown
from .stage import whole
from .transforms import TRANSFORMS
from .transforms.base import (
    ColumnMaker,
    Facts,
    FewFacts,
    Learned,
    NamedColumns,
    OutsideGraph,
    Readable,
    SeriesTransform,
    Tensors,
)

if TYPE_CHECKING:
    import numpy as np

    from .tables import Block, Table


_MOST_NESTED = 20  # data sets that are fitted to others
ROLES: Mapping[str, Role] = {"feature": "feature", "target": "target", "aside": "aside"}
COLUMN_DTYPES: Mapping[str, DType] = {one.name: one for one in (FLOAT32, INT64, BOOL, STRING)}


class FittedStep(Record):
    """A transform with its arguments, the schema before it, and what it has learned."""

    transform: ColumnMaker
    arguments: Mapping[str, object]
    before: Schema
    after: Schema
    learned: Learned

    @property
    def fitted(self) -> "Fitted | None":
        """The transforms of another data set, if it is those."""
        return self.learned["fitted"] if self.transform.takes_data else None

    def uses(self) -> dict[str, frozenset[str]]:
        """For each column after it the columns before it that it is made of."""
        return self.transform.uses(self.arguments, self.before, self.after, self.learned)

    @property
    def remakes_rows(self) -> bool:
        return self.fitted.remakes_rows if self.fitted else self.transform.remakes_rows

    @property
    def readable(self) -> Readable:
        return self.transform.readable(self.arguments, self.learned)


class Fitted(Record):
    """The transforms of the data set `name`: the schema of its source, each step, and the schema of the result."""

    name: str
    source: Schema
    steps: tuple[FittedStep, ...]
    result: Schema

    def needed(self) -> frozenset[str]:
        """The columns of the source that the features are made of."""
        made = self.uses()
        return frozenset(source for column in self.result.features for source in made[column.name])

    def _grouping(self) -> frozenset[str]:
        """The columns of the source that tell series apart."""
        found = frozenset[str]()
        for at, step in enumerate(self.steps):
            by = step.arguments.get("by") if isinstance(step.transform, SeriesTransform) else None
            names = step.fitted._grouping() if step.fitted is not None else () if by is None else (str(by),)
            made = traced(self.source, (one.uses() for one in self.steps[:at])) if names else {}
            found = found.union(*(made.get(name, ()) for name in names))
        return found

    def passed(self) -> frozenset[str]:
        """The columns of the source that no transform computes with, and no feature needs. They may be of any dtype."""
        worked_on = {
            column.name
            for step in self.steps
            if step.fitted is None and not isinstance(step.transform, NamedColumns)
            for column in step.transform.worked_on(step.arguments, step.before)
        }
        names = {column.name for column in self.source.table} - worked_on - self.needed()
        inner = [(step.before, step.fitted.passed()) for step in self.steps if step.fitted is not None]
        return frozenset(
            name for name in names if all(name in passed or before.column(name) is None for before, passed in inner)
        )

    def matched(self, other: Schema, facts: Facts) -> Schema:
        """The schema of the result for the rows of another source. Refuses columns that differ."""
        own = {column.name: column for column in self.source.table}
        names = [column.name for column in other.table]
        unknown = [] if other.targets else [one.name for one in self.source.targets]
        unknown = [one.name for one in other.table if one.name in unknown and one.gaps]
        needed = self.needed()
        lacking = [name for name in own if name in needed | self._grouping() and name not in names]
        foreign = [name for name in names if name not in own]
        targets = [one.name for one in self.source.targets]
        by_position = facts.of_source.get("header") is False
        # The cells after the target may stand in its place, and those of columns that may lack in theirs.
        is_moved = by_position and len(names) < len(own) and any(name in names for name in targets)
        if lacking or foreign or is_moved:
            if is_moved and not foreign:
                lacking = [name for name in own if name not in names]
            absent = [name for name in own if name not in names]
            raise other_columns(self.name, lacking, foreign, facts, targets if is_moved else (), absent)
        passed = self.passed()
        differing = [
            (column, own[column.name])
            for column in other.table
            if column.name in own
            and (column.shape != own[column.name].shape
                 or ((column.dtype == STRING) != (own[column.name].dtype == STRING) and column.name not in passed
                     and column.gaps != other.rows))  # without any value it may be of numbers or text
        ]  # fmt: skip
        if differing:
            raise other_dtypes(self.name, differing, facts)
        for column in other.table:
            was_text = column.name in passed and own[column.name].dtype == STRING != column.dtype
            if was_text and "columns" in facts.of_source and column.gaps != other.rows:
                way = columns_with({column.name: "string"}, facts.of_source)
                facts.doubt(KEY_DTYPE, column=shown(column.name), data=self.name, dtype=column.dtype.name, way=way)
        self._check_windows(other, facts)
        made = self._made(name for name in names if name not in unknown)  # a target with missing cells lacks
        ahead = self.ahead if not other.targets else None
        if self.remakes_rows and not other.targets:
            made -= {column.name for column in self.result.targets}
        gaps = sum(column.gaps for column in other.table)
        dtypes = {column.name: column.dtype for column in other.table if column.name in passed}
        table = tuple(
            replace(column, gaps=gaps, ends=None, dtype=dtypes.get(column.name, column.dtype))
            for column in self.result.table
            if column.name in made
        )
        table = table if ahead is None else (*table, ahead)
        return replace(other, table=table, named=self.result.named)

    def _check_windows(self, other: Schema, facts: Facts) -> None:
        """Refuse missing cells of targets that windows have in them."""
        targets = {one.name for one in self.source.targets}
        for at, step in enumerate(self.steps):
            if not isinstance(step.transform, SeriesTransform):
                continue
            made = traced(self.source, (one.uses() for one in self.steps[:at]))
            within = {
                source for one in step.transform.worked_on(step.arguments, step.before) for source in made[one.name]
            }
            found = facts.gap([one for one in other.table if one.gaps and one.name in within & targets])
            if found is not None:
                name, row, place = found
                by = step.arguments.get("by")
                after = "those after it" + (f" of the same {by}" if by is not None else "")
                way = f"give it a value in the file, or leave out this row and {after}: "
                way += "the last window predicts the row that comes next"
                if any(one.transform.name == "fill" for one in self.steps[:at]):
                    way += "; fill gives the target of new rows no value"
                what = f"{step.transform.name} of {self.name}"
                raise DataError(COLUMN_GAP, place=place, row=row_at(row, place), column=shown(name), what=what, way=way)

    def _made(self, names: Iterable[str]) -> set[str]:
        """The columns of the result that can be made of some columns of the source."""
        made = set(names)
        for step in self.steps:
            uses = step.transform.uses(step.arguments, step.before, step.after, step.learned)
            made = {name for name, used in uses.items() if used <= made}
        return made

    def uses(self) -> dict[str, frozenset[str]]:
        """For each column of the result the columns of the source that it is made of."""
        return traced(self.source, (one.uses() for one in self.steps))

    def sources_of(self, field: str) -> tuple[Column, ...]:
        """The columns of the source that a field is made of."""
        return sources_of(self.source, self.uses(), self.result, field)

    def transformed(self, table: "Table", has_target: bool, steps: "Sequence[FittedStep] | None" = None) -> "Table":
        """The rows of another table after the transforms, or after the first `steps`. Without a target, windows go to
        the last row."""
        order = [column.name for column in self.source.table]
        words = dict.fromkeys((one.name for one in self.source.table if one.dtype == STRING), ())

        passed = self.passed()

        def in_order(block: "Block") -> "Block":
            return {
                name: block[name] if name in passed else _as(block[name], self.source, name)
                for name in order
                if name in block
            }

        table = table.mapped(in_order, {**words, **table.words})
        for step in self.steps if steps is None else steps:
            before = step.before.without_targets() if step.remakes_rows and not has_target else step.before
            if isinstance(step.transform, SeriesTransform) and step.before.targets and not has_target:
                table = step.transform.applied_ahead(step.arguments, step.before, table)
            else:
                table = step.transform.applied(step.arguments, before, step.learned, table)
        return table

    def renumbered(self, table: "Table", other: Schema) -> "Table":
        """A table of another schema with the numbers of classes that were learned, -1 for classes of other names."""
        own = {column.name: column.classes for column in self.source.table if column.classes}
        numbers = {
            column.name: _numbers_of(own[column.name], column.classes)
            for column in other.table
            if column.classes and own.get(column.name, column.classes) != column.classes
        }

        def changed(block: "Block") -> "Block":
            return {name: numbers[name](cells) if name in numbers else cells for name, cells in block.items()}

        return table.mapped(changed) if numbers else table

    def unseen_classes(self, table: "Table", other: Schema) -> "Iterator[Unseen]":
        """The classes of a table of another schema that were not learned."""
        known = {column.name: column.classes for column in self.source.table if column.classes}
        for column in other.table:
            new = [name for name in column.classes if name not in known.get(column.name, column.classes)]
            if new:
                numbers = [column.classes.index(name) for name in new]
                cells = sum(int((block[column.name] == one).sum()) for _, block in table.blocks() for one in numbers)
                yield Unseen(column.name, cells, tuple(new[:SOME]))

    @property
    def ahead(self) -> Column | None:
        """The column that rows without a target have besides, if their targets come later in a series."""
        found: Column | None = None
        for step in self.steps:
            if step.fitted is not None:
                found = step.fitted.ahead
            elif isinstance(step.transform, SeriesTransform):
                found = step.transform.ahead(step.before) if step.before.targets else None
            elif not step.transform.keeps_others:
                found = None
        return found

    @property
    def remakes_rows(self) -> bool:
        """Whether its rows are not those of the source."""
        return any(step.remakes_rows for step in self.steps)

    @property
    def words(self) -> set[str]:
        """The words under which the transforms have learned something."""
        own = {"categories"} if any(column.classes for column in self.source.table) else set[str]()
        return own.union(*(step.fitted.words if step.fitted else step.readable for step in self.steps))

    def repeats(
        self, transform: ColumnMaker, arguments: Mapping[str, object], names: Iterable[str]
    ) -> tuple[str, list[str]] | None:
        """The step that does again, or in another way, what a transform has done to some columns, and these columns.
        None if no step does."""
        names = list(names)
        for step in self.steps:
            found = step.fitted.repeats(transform, arguments, names) if step.fitted is not None else None
            worked_on = {one.name for one in step.transform.worked_on(step.arguments, step.before)}
            again = [name for name in names if name in worked_on]
            both = transform, step.transform
            is_filled = transform is step.transform and step.arguments.get("with") != arguments.get("with")
            if again and (all(isinstance(one, Scaling) for one in both) or is_filled):
                found = step.transform.name, again
            if found is not None:
                return found
        return None

    def scaled(self) -> frozenset[str]:
        """The columns that a transform scales, by the names that they have before it."""
        own = [step.transform.worked_on(step.arguments, step.before) for step in self.steps
               if isinstance(step.transform, Scaling)]  # fmt: skip
        inner = [step.fitted.scaled() for step in self.steps if step.fitted is not None]
        return frozenset(column.name for columns in own for column in columns).union(*inner)

    def outside_graph(self) -> str:
        """The name of a transform that no graph can do. Empty if a graph can do all."""
        for step in self.steps:
            name = step.transform.name if isinstance(step.transform, OutsideGraph) else ""
            name = step.fitted.outside_graph() if step.fitted else name
            if name:
                return name
        return ""

    def confused(self, needed: Container[str]) -> tuple[str, str] | None:
        """One of some columns whose cells a graph cannot tell apart, and why."""
        for step in self.steps:
            found = step.transform.confused(step.arguments, step.before, step.learned, lambda _: ())
            found = step.fitted.confused(needed) if step.fitted else found
            if found and found[0] in needed:
                return found
        return None

    def precise(self) -> set[str]:
        """The columns of the source that a graph needs in float64."""
        found = set[str]()
        for at, step in enumerate(self.steps):
            own = step.transform.precise(step.arguments, step.before, step.learned)
            names = step.fitted.precise() if step.fitted else own
            made = traced(self.source, (one.uses() for one in self.steps[:at]))
            found = found.union(*(made.get(name, ()) for name in names))
        return found

    def readable(self, word: str) -> dict[str, Any]:  # as `Readable` has them
        """What the transforms have learned under a word such as "mean", by column. The last one counts."""
        found: dict[str, Any] = {}  # the same
        if word == "categories":
            found = {column.name: list(column.classes) for column in self.source.table if column.classes}
        for step in self.steps:
            found |= step.fitted.readable(word) if step.fitted else step.readable.get(word, {})
        return found

    def in_graph(self, columns: Tensors, tf: TF) -> Tensors:
        """The transforms one after the other in a graph of TensorFlow. Columns are float64 or string. A missing cell
        where a transform needs a value is an error when the graph is executed."""
        for step in self.steps:
            complete = step.transform.worked_on(step.arguments, step.before) if step.transform.needs_complete else ()
            columns = columns | {
                one.name: _complete(columns[one.name], f"{step.transform.name} of {self.name}", one.name, tf)
                for one in complete
                if one.name in columns and columns[one.name].dtype != tf.int64
            }
            columns = step.transform.in_graph(step.arguments, step.before, step.learned, columns, tf)
        return columns

    def cut(self, table: "Table", has_target: bool) -> Iterator[tuple[int, int]]:
        """The sizes after which texts of rows are cut, and how many are."""
        for at, step in enumerate(self.steps):
            before = self.transformed(table, has_target, self.steps[:at])
            if step.fitted is not None:
                yield from step.fitted.cut(before, has_target)
            elif count := step.transform.cut(step.arguments, step.before, before):
                yield whole(step.arguments, "size"), count

    def doubts(self, table: "Table", has_target: bool) -> Iterator[DataError]:
        """Warnings of rows that seem to be no whole series in their order."""
        for at, step in enumerate(self.steps):
            before = self.transformed(table, has_target, self.steps[:at])
            if step.fitted is not None:
                yield from step.fitted.doubts(before, has_target)
            elif isinstance(step.transform, SeriesTransform):
                yield from step.transform.doubts(step.arguments, before, has_target, self.name)

    def _check_bools(self, table: "Table") -> None:
        """Refuse numbers that mean neither true nor false where these were learned from."""
        import numpy as np

        passed = self.passed()
        names = [one.name for one in self.source.table if one.dtype == BOOL and one.name not in passed]
        for start, block in table.blocks() if names else ():
            for name in names:
                cells = block.get(name)
                if cells is None or cells.dtype == np.bool_:
                    continue
                bad = np.flatnonzero((cells != 0) & (cells != 1) & (cells == cells))  # a missing one is not itself
                if len(bad):
                    row = start + int(bad[0])
                    place = table.place(row, name)
                    raise DataError(FITTED_BOOL, place=place, param="data", row=row_at(row, place),
                                    column=shown(name), cell=f"{cells[bad[0]]:g}", data=self.name)  # fmt: skip

    def check_first_row(self, table: "Table") -> None:
        """Refuse names of columns that stand in a file without a line of them, in which all columns are text."""
        import numpy as np

        from .tables import absent

        first, passed = table.block(slice(0, 1)), self.passed()
        names = [one.name for one in self.source.table if one.name in first]
        if any(one.dtype != STRING for one in self.source.table if one.name in names and one.name not in passed):
            return  # a name among numbers is no number
        if any(absent(first[name])[0] for name in names):
            return
        cells = {name: str(table.words[name][first[name][0]]) for name in names if first[name].dtype == np.int32}
        is_named = bool(cells) and all(cell.lower() == name.lower() for name, cell in cells.items())
        known = {name: values for name, values in self.readable("categories").items() if name in cells}
        codes = {name: category_codes(values, table.words[name]) for name, values in known.items()}
        new = [np.all([of(block[name]) < 0 for name, of in codes.items()], axis=0) for _, block in table.blocks()]
        is_only = len(codes) > 1 and bool(new[0][0]) and sum(map(int, map(np.sum, new))) == 1 < table.rows
        if is_named or (is_only and len(set(cells.values())) == len(cells)):
            way = "remove this line" if is_named else "remove this line; if it is a row, write it below another one"
            raise DataError(FITTED_NAMES, place=table.place(0, names[0]), param="data", data=self.name,
                            file=table.source.origin, way=way)  # fmt: skip

    def check(self, table: "Table", has_target: bool) -> "list[Unseen]":
        """Refuse rows that a transform cannot transform, such as those with missing cells. Returns the categories
        that were not learned."""
        self._check_bools(table)
        unseen: list[Unseen] = []
        given = dict(table.parts) or {"": range(table.rows)}
        for at, step in enumerate(self.steps):
            before = self.transformed(table, has_target, self.steps[:at])
            if step.fitted is not None:
                unseen += step.fitted.check(before, has_target)
            step.transform.check_rows(step.arguments, step.before, before, self.name, has_target)
            unseen += unseen_in(before, step.learned.get("categories", {}))
            if isinstance(step.transform, SeriesTransform):
                after = self.transformed(table, has_target, self.steps[: at + 1])
                for part, rows in after.parts or (("", range(after.rows)),):
                    if not len(rows):
                        kind, known, of = step.transform, step.arguments, table.source.origin
                        raise DataError(SERIES_SHORT, param="data", name=kind.name, data=self.name, file=of,
                                        needed=kind.rows_needed(known, has_target), part=part and f" in .{part}",
                                        rows=kind.rows_there(known, before, len(given[part])))  # fmt: skip
        return unseen


def _complete(cells: Operand, what: str, name: str, tf: TF) -> Operand:
    """A column of a graph without missing cells."""
    message = f"{shown(name)[1:-1]}: a cell is missing, and {what} needs a value in every row"
    is_there = tf.not_equal(cells, "") if cells.dtype == tf.string else tf.equal(cells, cells)
    with tf.control_dependencies([tf.raw_ops.Assert(condition=tf.reduce_all(is_there), data=[message])]):
        return tf.identity(cells)


def traced(source: Schema, steps: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    """For each column of the result of some transforms the columns of the source that it is made of, from what each
    transform uses."""
    made = {column.name: frozenset((column.name,)) for column in source.table}
    for uses in steps:
        made = {name: frozenset(one for used in all_used for one in made.get(used, ()))
                for name, all_used in uses.items()}  # fmt: skip
    return made


def sources_of(
    source: Schema, made: Mapping[str, frozenset[str]], result: Schema, field: str
) -> tuple[Column, ...]:  # fmt: skip
    """The columns of a source that a field of the result is made of: at least one, which has the number of rows."""
    names = {name for column in result.columns_of(field) for name in made.get(column.name, ())}
    return tuple(column for column in source.table if column.name in names) or source.table[:1]


def _numbers_of(own: Sequence[str], other: Sequence[str]) -> "Callable[[np.ndarray], np.ndarray]":
    """From the numbers of some classes to those that they have here, -1 for other classes."""
    import numpy as np

    numbers = np.array([own.index(one) if one in own else -1 for one in other], np.int64)
    return lambda cells: numbers[cells]


def _as(cells: "np.ndarray", schema: Schema, name: str) -> "np.ndarray":
    """Numbers in the dtype that they had when the transforms learned."""
    column = schema.column(name)
    assert column is not None  # an own column
    if column.dtype == STRING and cells.dtype.kind == "f":  # nothing but missing cells
        return (cells != cells).astype("int32") * -1
    if column.dtype != STRING and cells.dtype == "int32":  # codes of nothing but missing cells
        return cells * float("nan")
    if column.dtype == STRING or column.shape or column.dtype == BOOL:
        return cells
    return cells.astype("float64") if column.dtype.name == "float32" else cells


def among(sets: Mapping[str, Fitted], name: str) -> Fitted | None:
    """What a data set of a program has learned: the one with its name, or the only one."""
    return next(iter(sets.values())) if name not in sets and len(sets) == 1 else sets.get(name)


def fitted_of(learned: Learned) -> Fitted:
    """What another data set has learned, which a transform with `takes_data` passes on."""
    fitted = learned["fitted"]
    assert isinstance(fitted, Fitted)
    return fitted


def to_json(fitted: Fitted) -> dict[str, object]:
    """Plain JSON."""
    return {
        "columns": [
            {
                "name": one.name,
                "dtype": one.dtype.name,
                "shape": list(one.shape),
                "role": one.role,
                "gaps": one.gaps,
                **({"place": one.place} if one.place else {}),
                **({"classes": list(one.classes)} if one.classes else {}),
            }
            for one in fitted.source.table
        ],
        "named": fitted.source.named,
        "steps": [
            {
                "name": step.transform.name,
                "arguments": {name: _plain(value) for name, value in step.arguments.items()},
                "learned": {"fitted": to_json(step.fitted)} if step.fitted else step.learned,
            }
            for step in fitted.steps
        ],
    }


def from_json(name: str, part: JsonPart) -> Fitted:
    """What the data set `name` has learned, from a file. Refuses what `to_json` cannot have made."""
    if part.at.count(".fitted") > _MOST_NESTED:
        part.refuse(f"nested at most {counted(_MOST_NESTED, 'time')}")
    fields = part.fields("columns", "named", "steps")
    columns = fields["columns"].items()
    if not 0 < len(columns) <= MAX_COLUMNS:
        fields["columns"].refuse(f"a list of 1 to {MAX_COLUMNS} columns")
    schema = source = Schema(1, tuple(map(_column, columns)), named=fields["named"].flag())
    if len({one.name for one in source.table}) < len(columns):
        fields["columns"].refuse("a list of columns with different names")
    steps: list[FittedStep] = []
    for one in fields["steps"].items():
        try:
            steps.append(_step(one, schema))
        except DataError as error:
            if error.message is LEARNED_FORM:
                raise
            one.refuse("a transform of these columns", f"one that fails ({error.headline})")
        schema = steps[-1].after
    return Fitted(name, source, tuple(steps), schema)


def _column(part: JsonPart) -> Column:
    fields = part.fields("name", "dtype", "shape", "role", "gaps", place=0, classes=[])
    dtype, role = fields["dtype"].text(), fields["role"].text()
    if dtype not in COLUMN_DTYPES:
        fields["dtype"].refuse(" or ".join(COLUMN_DTYPES))
    if role not in ROLES:
        fields["role"].refuse(" or ".join(ROLES))
    shape = tuple(one.integer(1) for one in fields["shape"].items())
    if len(shape) >= MAX_AXES:
        fields["shape"].refuse(f"a list of less than {MAX_AXES}")
    classes = tuple(fields["classes"].texts())
    if len(set(classes)) < len(classes) or (classes and (dtype != "int64" or shape)):
        fields["classes"].refuse("different names of the whole numbers of a column")
    return Column(fields["name"].text(), COLUMN_DTYPES[dtype], shape, ROLES[role], gaps=fields["gaps"].integer(0),
                  place=fields["place"].integer(0), classes=classes)  # fmt: skip


def _step(part: JsonPart, before: Schema) -> FittedStep:
    fields = part.fields("name", "arguments", "learned")
    name = fields["name"].text()
    transform = TRANSFORMS.get(name)
    if not isinstance(transform, ColumnMaker):
        fields["name"].refuse("a transform of columns")
    given = fields["arguments"].fields(*transform.bound({}))
    params = {param.name: param for param in transform.params}
    arguments = {
        name: _argument_of(one, params[name]) if name in params else _columns(one, transform)
        for name, one in given.items()
    }
    learned = transform.checked(arguments, before, fields["learned"])
    return FittedStep(transform, arguments, before, transform.schema(arguments, before, _FittedFacts(learned)), learned)


def _columns(part: JsonPart, transform: ColumnMaker) -> tuple[str, ...]:
    """The columns that a transform names."""
    names = part.texts()
    if transform.needs_columns and not names:
        part.refuse("a list of names of columns")
    return tuple(names)


def _argument_of(part: JsonPart, param: Parameter) -> object:
    """An argument of the kind that the signature says."""
    if part.value is None and param.default is None:
        return None
    match param.kind:
        case "integer":
            return part.integer()
        case "flag":
            return part.flag()
        case "text":
            return part.text()
    return _argument(part)


def _argument(part: JsonPart, depth: int = 3) -> object:
    match part.value:
        case list() if depth:
            return tuple(_argument(one, depth - 1) for one in part.items())
        case bool() | None:
            return part.value
        case int():
            return part.integer()
        case float():
            return part.number()
    return part.text()


class _FittedFacts(FewFacts, Record):
    """The facts of a transform that has learned, without the rows."""

    learned: Learned
    rows: int = 1
    parts: tuple[tuple[str, int], ...] = ()
    table: None = None


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value
