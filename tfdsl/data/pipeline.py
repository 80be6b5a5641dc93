"""A data declaration at work: its source, and its transforms one after the other.

Input: a declaration, and the replacement of its source, if any. Output: the schema after each stage, known without
reading the data where that is possible; what the transforms learn; and the data.

Rows are chosen first, and then transforms learn from the training rows, in their order. So a transform learns from
`.train` wherever `split` stands. A transform that chooses rows by their values can only look at values that nothing
learned.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, assert_never

from ..diagnostics import (
    COLUMN_KIND,
    CONDITION_NAME,
    FITTED_AGAIN,
    FITTED_COLUMNS,
    FITTED_DTYPE,
    NO_FEATURES,
    SCALED_LATE,
    SCALED_TWICE,
    SERIES_SPLIT,
    TARGET_MIXED,
    TEXT_COLUMN,
    UNKNOWN_COLUMN,
    Message,
)
from ..record import Record, replace
from ..types import FLOAT32, STRING
from .advice import as_text, is_finite, other_kind, ways_out
from .learned import Fitted, FittedStep, fitted_of, sources_of, traced
from .mismatch import repeated
from .scaling import Scaling
from .schema import Column, DataError, FilePlace, Schema, at_stage, shown
from .sources.base import OpenedData, Where
from .stage import Arguments, DataSpec, StageSpec
from .transforms import TRANSFORMS
from .transforms.base import (
    ColumnMaker,
    FewFacts,
    Learned,
    NamedColumns,
    OutsideGraph,
    RowTransform,
    SeriesTransform,
    Transform,
    check_names,
    computed,
    gap_error,
)
from .transforms.fill import Fill

if TYPE_CHECKING:
    from .arrays import Dataset, Reported
    from .tables import Table

_SOME = 3  # columns in a message
_LARGEST = float.fromhex("0x1.fffffep127")  # of float32


class Learner(Protocol):
    """A data set that another can be fitted to."""

    def fitted(self) -> Fitted: ...


class Learning(Record):
    """A transform with what it has learned, as far as the schemas needed it, and the columns before it that count."""

    transform: ColumnMaker
    arguments: Arguments
    learned: Learned
    columns: frozenset[str]


class Pipeline:
    """A declaration whose arguments and sizes are checked. `schemas` has the schema of the source and after each
    transform. `others` are the data sets that it may name, `where` is the base of paths of checkpoints. If it is not
    `declared` by the program, it has rows of a file in the place of declared ones."""

    def __init__(
        self, spec: DataSpec, opened: OpenedData, others: Mapping[str, Learner], where: Where, declared: bool = True
    ):
        self.spec, self.opened, self._others, self._where, self.declared = spec, opened, others, where, declared
        self._files: dict[str, dict[str, Fitted]] = {}  # what is in files beside checkpoints
        self.order = list(range(len(spec.transforms)))  # in which the stages work, of the declaration
        self._transforms = [TRANSFORMS[step.name] for step in spec.transforms]
        self._arguments = [
            one.bound(step.arguments) for one, step in zip(self._transforms, spec.transforms, strict=True)
        ]
        self._learned: dict[int, Learned] = {}
        self._chosen: dict[int, tuple[Schema, Table]] = {}
        self._remade: dict[int, Table] = {}
        self._cut_first()
        self.doubts: list[DataError] = list(opened.doubts)  # warnings
        with at_stage(0):
            self.schemas: list[Schema] = [check_names(opened.schema)]
        for at, (transform, arguments) in enumerate(zip(self._transforms, self._arguments, strict=True)):
            with at_stage(self.order[at] + 1):
                self._check_kinds(at)
                self.schemas.append(self._schema(at, transform, arguments))
        for at in range(len(self._transforms)):
            self._doubt_order(at)

    def _schema(self, at: int, transform: Transform, arguments: Arguments) -> Schema:
        """The schema after a transform."""
        try:
            return transform.schema(arguments, self.schemas[-1], _Facts(self, at))
        except DataError as error:
            if transform.takes_data and error.message in (FITTED_COLUMNS, FITTED_DTYPE):
                fitted = fitted_of(self.learned(at))
                own = {step.transform.name for step in fitted.steps if not isinstance(step.transform, NamedColumns)}
                if again := [one for one in self._transforms[:at] if one.name in own]:
                    raise repeated(again, fitted.name, error) from None
            missed = error.details.get("column" if error.message is UNKNOWN_COLUMN else "name")
            if error.message in (UNKNOWN_COLUMN, CONDITION_NAME) and (taker := self._taker(str(missed).strip('"'))):
                way = f"put {transform.name} before {taker}, which takes the column away"
                error.details |= {"way": way, "ways": f"; or {way}"}
            raise

    def _taker(self, name: str) -> str:
        """The transform that takes a column away. "" if none does."""
        has = [schema.column(name) is not None for schema in self.schemas]
        return next((one.name for at, one in enumerate(self._transforms[: len(has) - 1]) if has[at] > has[at + 1]), "")

    def _doubt_order(self, at: int) -> None:
        """Warn of a transform that is repeated by `fitted` after it, of a second scaling, and of one that is missed by
        windows before it."""
        transform, facts = self._transforms[at], _Facts(self, at)
        if not isinstance(transform, (Scaling, Fill)):
            return
        names = self._worked_on(at)
        for later in range(at + 1, len(self._transforms)):
            if not self._transforms[later].takes_data:
                continue
            fitted = fitted_of(self.learned(later))
            again = fitted.repeats(transform, self._arguments[at], names)
            if again is not None:
                step, columns = again
                facts.doubt(FITTED_AGAIN, name=transform.name, columns=", ".join(map(shown, columns[:_SOME])),
                            data=fitted.name, again=step)  # fmt: skip
        if isinstance(transform, Scaling):
            self._doubt_twice(at, transform, names, facts)
        windows = next((one for one in range(at) if isinstance(self._transforms[one], SeriesTransform)), None)
        if windows is None or isinstance(transform, Fill) or any(one.takes_data for one in self._transforms[:windows]):
            return
        before = range(windows)
        scaled = {name for one in before if isinstance(self._transforms[one], Scaling) for name in self._worked_on(one)}
        filled = {name for one in before if isinstance(self._transforms[one], Fill) for name in self._worked_on(one)}
        made = {one.name for one in self.schemas[windows].table if one.is_learned} - filled
        raw = [name for name in self._worked_on(windows) if name not in scaled | made]
        named = set(self._named(at))
        missed = [name for name in raw if not named or name in named]
        if missed:
            facts.doubt(SCALED_LATE, name=transform.name, windows=self._transforms[windows].name,
                        columns=", ".join(map(shown, missed[:_SOME])))  # fmt: skip

    def _doubt_twice(self, at: int, transform: Scaling, names: Sequence[str], facts: "_Facts") -> None:
        """Warn of a scaling of columns that an earlier one has scaled. Once new columns are made between them, scaling
        all anew is meant."""
        for earlier in range(at):
            first = self._transforms[earlier]
            if first.takes_data:
                fitted = fitted_of(self.learned(earlier))
                scaled = fitted.scaled() if fitted.scaled().issuperset(names) else frozenset[str]()
                way = f"leave {transform.name} out: {first.name}({fitted.name}) scales the rows"
            elif isinstance(first, Scaling):
                scaled = frozenset(self._worked_on(earlier))
                way = f"scale each column once: {self.spec.name}.{transform.words[0]}(...) is then that of the file"
            else:
                continue
            known = {one.name for one in self.schemas[earlier + 1].table}
            if again := [name for name in names if name in scaled and known.issuperset(names)]:
                columns = ", ".join(map(shown, again[:_SOME]))
                facts.doubt(SCALED_TWICE, name=transform.name, columns=columns, first=first.name, way=way)
                return

    def _worked_on(self, at: int) -> list[str]:
        """The columns that a transform works on."""
        transform = self._transforms[at]
        assert isinstance(transform, ColumnMaker)
        return [one.name for one in transform.worked_on(self._arguments[at], self.schemas[at])]

    def _named(self, at: int) -> list[str]:
        """The columns that a transform names."""
        return self._worked_on(at) if self._arguments[at].get("columns") else []

    def _check_kinds(self, at: int) -> None:
        """Refuse a transform of a column that is neither numbers nor text."""
        transform, before = self._transforms[at], self.schemas[at]
        others = [one for one in before.table if one.other is not None]
        if not others or transform.removes or not isinstance(transform, ColumnMaker):
            return
        if transform.takes_data:
            fitted = fitted_of(self.learned(at))
            dropped = fitted.passed() - {one.name for one in fitted.result.table}
            _refuse_kinds(one for one in others if one.name not in dropped)
            return
        used: tuple[Column, ...] = ()
        with suppress(DataError):  # its arguments are checked afterwards
            used = transform.worked_on(self._arguments[at], before)
        _refuse_kinds(used)

    def check_kinds(self) -> None:
        """Refuse columns that are left and are neither numbers nor text."""
        with at_stage(0):
            _refuse_kinds(self.schema.table)

    def _cut_first(self) -> None:
        """Move a split before the windows that are made of its parts."""
        remade = next(filter(self._remakes, range(len(self.order))), None)
        divided = next((at for at, one in enumerate(self._transforms) if one.divides), None)
        if remade is None or divided is None or divided < remade:
            return
        split = self._transforms[divided]
        between = [one for one in self._transforms[remade + 1 : divided] if isinstance(one, RowTransform)]
        if between or not (isinstance(split, RowTransform) and split.keeps_order(self._arguments[divided])):
            error = DataError(SERIES_SPLIT, name=split.name, series=self._transforms[remade].name)
            error.stage = divided + 1
            raise error
        self.order.insert(remade, self.order.pop(divided))
        self._transforms.insert(remade, self._transforms.pop(divided))
        self._arguments.insert(remade, self._arguments.pop(divided))

    def _remakes(self, at: int) -> bool:
        """Whether the rows of a stage are not those before it."""
        transform = self._transforms[at]
        if isinstance(transform, ColumnMaker) and transform.takes_data:
            return fitted_of(self.learned(at)).remakes_rows
        return isinstance(transform, ColumnMaker) and transform.remakes_rows

    @property
    def schema(self) -> Schema:
        return self.schemas[-1]

    @property
    def steps(self) -> "list[StageSpec]":
        """The transforms of the declaration in the order in which they work."""
        return [self.spec.transforms[at] for at in self.order]

    @cached_property
    def source(self) -> "Table":
        """The rows of the source."""
        from .tables import Table

        with at_stage(0):
            source = self.opened.source()
        return Table(source, source.rows, source.words)

    def release(self) -> None:
        """Let go of the rows. They are read again if they are needed; what has been learned stays."""
        self.__dict__.pop("source", None)
        self._chosen.clear()

    def chosen(self, before: int) -> "Table":
        """The table with the rows that the transforms before a stage choose. Its columns are those of the source and
        what transforms make of them that learn nothing, which is what rows can be chosen by."""
        return self._chosen_by(before)[1]

    def _first(self, before: int) -> int:
        """The first stage that has the rows of this stage: the one after the last transform that remakes them."""
        return next((at + 1 for at in reversed(range(before)) if self._remakes(at)), 0)

    def _base(self, first: int) -> "Table":
        """The rows at such a stage."""
        if first == 0:
            return self.source
        if first not in self._remade:
            at = first - 1
            transform = self._transforms[at]
            assert isinstance(transform, ColumnMaker)
            with at_stage(self.order[at] + 1):
                table = transform.applied(self._arguments[at], self.schemas[at], self.learned(at), self.table(at))
            self._remade[first] = table
        return self._remade[first]

    def _chosen_by(self, before: int) -> "tuple[Schema, Table]":
        if before == self._first(before):
            # While the schema of the stage is made, only the rows are asked for.
            return self.schemas[min(before, len(self.schemas) - 1)], self._base(before)
        if before not in self._chosen:
            at = before - 1
            schema, table = self._chosen_by(at)
            transform, arguments = self._transforms[at], self._arguments[at]
            with at_stage(self.order[at] + 1):
                match transform:
                    case RowTransform():
                        transform.schema(arguments, schema, _RowFacts(table))  # refuses wrong arguments
                        table = transform.choose(arguments, table)
                        parts = tuple((name, len(rows)) for name, rows in table.parts)
                        schema = replace(schema, rows=table.rows, parts=parts)
                    case ColumnMaker():
                        if not transform.learns_with(arguments):
                            with suppress(DataError):  # a column is missing that a learning transform makes
                                after = transform.schema(arguments, schema, _RowFacts(table))
                                learned = transform.learn(arguments, schema, table)  # what its arguments say
                                table = transform.applied(arguments, schema, learned, table)
                                schema = after
                        else:
                            with suppress(DataError):  # told when its own schema is made
                                worked_on = transform.worked_on(arguments, schema)
                                schema = computed(schema, worked_on, learned=True)
                    case _:
                        assert_never(transform)
            self._chosen[before] = schema, table
        return self._chosen[before]

    def table(self, before: int | None = None) -> "Table":
        """The table before a stage, or after the last. With a split it has the rows that all transforms choose, without
        one those of the transforms before the stage."""
        end = len(self._transforms) if before is None else before
        first = self._first(end)
        last = next(filter(self._remakes, range(end, len(self._transforms))), len(self._transforms))
        rows = last if any(one.divides for one in self._transforms[:last]) else end
        base = self._base(first)
        table = replace(self.chosen(rows), functions=base.functions, words=base.words)
        for at in range(first, end):
            transform = self._transforms[at]
            if isinstance(transform, ColumnMaker):
                table = transform.applied(self._arguments[at], self.schemas[at], self.learned(at), table)
        return table

    def learned(self, at: int) -> Learned:
        """What a transform has learned from the training rows."""
        transform = self._transforms[at]
        if not isinstance(transform, ColumnMaker) or not transform.learns:
            return {}
        if transform.takes_data:
            with at_stage(self.order[at] + 1):
                return {"fitted": self._fitted_to(self._arguments[at])}
        if at not in self._learned:
            with at_stage(self.order[at] + 1):
                self._learned[at] = transform.learn(self._arguments[at], self.schemas[at], self.table(at))
        return self._learned[at]

    def _fitted_to(self, arguments: Arguments) -> Fitted:
        """What another data set has learned, or one of a file."""
        data, name = str(arguments["data"]), arguments["name"]
        if name is None:
            try:
                return self._others[data].fitted()
            except DataError as error:
                error.stage = None  # it is a stage of the other declaration
                raise
        from .saved import chosen, read

        if data not in self._files:
            self._files[data] = read(data, self._where)
        return chosen(self._files[data], str(name), data)

    def fitted(self) -> Fitted:
        """What the transforms have learned. Rows that are only transformed with what another data set has learned pass
        that on."""
        own = self.complete()
        passed_on = own.steps[0].fitted if len(own.steps) == 1 else None
        return passed_on or own

    def complete(self) -> Fitted:
        """All transforms of columns of the declaration, with what they have learned."""
        steps = [
            FittedStep(one, self._arguments[at], self.schemas[at], self.schemas[at + 1], self.learned(at))
            for at, one in enumerate(self._transforms)
            if isinstance(one, ColumnMaker)
        ]
        return Fitted(self.spec.name, self.opened.schema, tuple(steps), self.schema)

    def sources_of(self, field: str) -> tuple[Column, ...]:
        """The columns of the source that a field is made of."""
        uses = (
            one.uses(
                self._arguments[at], self.schemas[at], self.schemas[at + 1], self.learned(at) if one.takes_data else {}
            )
            for at, one in enumerate(self._transforms)
            if isinstance(one, ColumnMaker)
        )
        return sources_of(self.opened.schema, traced(self.opened.schema, uses), self.schema, field)

    def learning(self, field: str) -> Iterator[Learning]:
        """The transforms that make a field with what they have learned, from the last to the first. What comes before
        the transforms of another data set is left out."""
        made = frozenset(column.name for column in self.schema.columns_of(field))
        for at in reversed(range(len(self._transforms))):
            transform, arguments, before = self._transforms[at], self._arguments[at], self.schemas[at]
            if not isinstance(transform, ColumnMaker):
                continue
            if transform.takes_data:
                yield Learning(transform, arguments, self.learned(at) if arguments["name"] is not None else {}, made)
                return
            uses = transform.uses(arguments, before, self.schemas[at + 1], {})
            made = frozenset[str]().union(*(uses[name] for name in made))
            worked_on = made & {column.name for column in transform.worked_on(arguments, before)}
            if worked_on and transform.learns_with(arguments):
                yield Learning(transform, arguments, self._learned.get(at, {}), worked_on)

    def outside_graph(self) -> str:
        """The name of the source or of a transform that no graph can do. Empty if a graph can do all."""
        if not self.opened.is_in_graph:
            return self.spec.source.name
        for at, transform in enumerate(self._transforms):
            if isinstance(transform, ColumnMaker) and transform.takes_data:
                name = fitted_of(self.learned(at)).outside_graph()
            else:
                name = transform.name if isinstance(transform, OutsideGraph) else ""
            if name:
                return name
        return ""

    def confused(self, field: str) -> tuple[str, str] | None:
        """A column of a field whose cells a graph cannot tell apart, and why."""
        needed = {column.name for column in self.sources_of(field)}
        for at, transform in enumerate(self._transforms):
            if isinstance(transform, ColumnMaker):
                learned = self.learned(at)
                found = transform.confused(self._arguments[at], self.schemas[at], learned, _words_of(self.table(at)))
                found = fitted_of(learned).confused(needed) if transform.takes_data else found
                if found and found[0] in needed:
                    return found
        return None

    @property
    def learned_by(self) -> str:
        """The name of the data set that has learned: its own, or that of the one whose transforms it passes on."""
        kinds = [one for one in self._transforms if isinstance(one, ColumnMaker)]
        return self.fitted().name if len(kinds) == 1 and kinds[0].takes_data else self.spec.name

    @property
    def learns(self) -> bool:
        """Whether it has transforms of columns, or a source that numbers classes."""
        is_numbered = any(column.classes for column in self.opened.schema.table)
        return is_numbered or any(isinstance(one, ColumnMaker) for one in self._transforms)

    def dataset(self, reported: "Reported" = nullcontext) -> "Dataset":
        """The data of the program. Its arrays are made inside `reported`."""
        from .arrays import Dataset

        table = self.table()
        emptied = [
            (transform.name, column, value)
            for at, transform in enumerate(self._transforms)
            if isinstance(transform, ColumnMaker)
            for column, value in transform.emptied(self.learned(at))
        ]
        return Dataset(table, self.schema, self.check, tuple(emptied), reported)

    def first_text(self, column: str) -> tuple[FilePlace, str] | None:
        """The place and the text of the first cell of a text column of the source that is no number."""
        find = self.opened.first_text
        return None if find is None or self.opened.schema.column(column) is None else find(column)

    def _some_text(self, column: str) -> str:
        """A text of a column, one that is no number if there is one."""
        words = self.table().words.get(column, ())
        return next((one for one in words if not is_finite(one)), words[0] if words else "")

    def ways_out(self, column: Column, otherwise: str = "") -> str:
        """What to write for a column of text where numbers are needed, or for one of numbers where text is. `otherwise`
        is for texts that are no numbers at all."""
        known, texts = self.opened.schema.column(column.name), self.opened.texts
        if column.dtype != STRING:
            return "" if known is None else as_text(known.name, known.gaps > 0, self.spec.source.arguments)
        found = () if texts is None or known is None or known.dtype != STRING else texts(column.name)
        return ways_out(column.name, found, self.spec.source.arguments, otherwise)

    def _has_names(self) -> bool:
        """Whether the first line of a file without a header has nothing but texts, one of them above numbers."""
        table, texts = self.opened.schema.table, self.opened.texts
        if texts is None or self.opened.first_text is None or self.spec.source.arguments.get("header") is not False:
            return False
        if any(column.dtype != STRING for column in table):
            return False
        firsts = [(column.name, self.opened.first_text(column.name)) for column in table]
        above = [name for name, found in firsts if found is not None and found[0].line == 1]
        return any(sum(not is_finite(text) for text in texts(name)) == 1 < len(texts(name)) for name in above)

    def check(self, field: str) -> None:
        """Refuse a field that cannot be an array: text among numbers, or missing cells."""
        self.check_columns(field, self.schema.columns_of(field))

    def check_columns(self, field: str, columns: tuple[Column, ...]) -> None:
        """Refuse a field with these columns if it cannot be an array."""
        data = self.spec.name
        if field == "features" and not columns:
            several = [column.field for column in self.schema.table if column.role == "feature"]
            way = "all columns are targets or set aside"
            if several:
                way = f"its columns have more than one number per row: use them by name, as in batch.{several[0]}"
            raise DataError(NO_FEATURES, data=data, way=way)
        _refuse_kinds(columns)
        text = [column for column in columns if column.dtype == STRING]
        if text and field == "features":
            place, cell = self.first_text(text[0].name) or (None, self._some_text(text[0].name))
            name = shown(text[0].name)
            ways = f"{self.ways_out(text[0])}; or | drop({name}) or | aside({name}) to leave it out"
            if self._has_names():
                ways = "the first line looks like names: leave header=false out"
            raise DataError(TEXT_COLUMN, place=place, data=data, column=name, cell=shown(cell), ways=ways)
        if text and len(text) < len(columns):
            names = " and ".join(shown(column.name) for column in text)
            raise DataError(TARGET_MIXED, data=data, columns=names, column=shown(text[0].name))
        gaps = [column for column in columns if column.gaps and column.dtype != STRING]
        found = self.gap(len(self._transforms), gaps) if gaps else None
        if found is not None:
            name, row, place = found
            column = next(one for one in gaps if one.name == name)
            taught = any(one.takes_data for one in self._transforms)
            raise gap_error(column, row, place, f"{data}.{field}", self.learned_by if taught else "")
        self._refuse_large(column for column in columns if column.dtype == FLOAT32 and not column.is_computed)

    def _refuse_large(self, columns: Iterable[Column]) -> None:
        """Refuse numbers that float32 does not hold."""
        large = [column for column in columns if column.ends is not None and max(map(abs, column.ends)) > _LARGEST]
        if large:
            from .arrays import check_finite

            check_finite(self.table(len(self._transforms)), large)

    def gap(self, at: int, columns: Iterable[Column]) -> tuple[str, int, FilePlace | None] | None:
        """The first missing cell of some columns before a stage: its column, row and place."""
        from .arrays import missing

        table = self.table(at)
        found = missing(table, columns)
        if found is None:
            return None
        name, row = found
        return name, row, table.place(row, name)


def _refuse_kinds(columns: Iterable[Column]) -> None:
    for one in columns:
        if one.other is not None:
            place, what = one.other
            raise DataError(COLUMN_KIND, place=place, column=shown(one.name), what=what,
                            way=other_kind(one.name, what))  # fmt: skip


def _words_of(table: "Table") -> Callable[[str], Iterable[str]]:
    """The texts of the columns of a table."""
    return lambda name: table.words.get(name, ())


class _Facts:
    """The facts of one stage."""

    def __init__(self, pipeline: Pipeline, at: int):
        self._pipeline, self._at = pipeline, at

    @property
    def rows(self) -> int:
        return self._pipeline.chosen(self._at + 1).rows

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, len(rows)) for name, rows in self._pipeline.chosen(self._at + 1).parts)

    @property
    def learned(self) -> Learned:
        return self._pipeline.learned(self._at)

    @property
    def table(self) -> "Table":
        return self._pipeline.table(self._at)

    def words(self, column: str) -> Sequence[str]:
        return self._pipeline.table(self._at).words[column]

    def doubt(self, message: Message, place: FilePlace | None = None, /, **details: object) -> None:
        error = DataError(message, place=place)
        error.details = details
        error.stage = self._pipeline.order[self._at] + 1
        self._pipeline.doubts.append(error)

    def gap(self, columns: Iterable[Column]) -> tuple[str, int, FilePlace | None] | None:
        return self._pipeline.gap(self._at, columns)

    def ways_out(self, column: Column, otherwise: str = "") -> str:
        return self._pipeline.ways_out(column, otherwise)

    def first_text(self, column: str) -> tuple[FilePlace, str] | None:
        return self._pipeline.first_text(column)

    @property
    def data(self) -> str:
        return self._pipeline.spec.name

    @property
    def of_source(self) -> Arguments:
        return self._pipeline.spec.source.arguments

    @property
    def is_declared(self) -> bool:
        return self._pipeline.declared


class _RowFacts(FewFacts):
    """The facts of a transform that learns nothing, while rows are chosen."""

    def __init__(self, table: "Table"):
        self.table, self.rows, self.learned = table, table.rows, {}
        self.parts = tuple((name, len(rows)) for name, rows in table.parts)

    def words(self, column: str) -> Sequence[str]:
        return self.table.words[column]
