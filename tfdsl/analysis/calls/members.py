"""Members of scopes, tensors, data sets, batches and outputs of ops: the names after a dot."""

import re

from ...data import SOURCES, TRANSFORMS
from ...data.advice import odd_cell
from ...data.learned import Fitted, among, fitted_of
from ...data.schema import DataError, FilePlace, Schema, composed, listed, shown
from ...data.transforms.base import ColumnMaker
from ...diagnostics import (
    COLUMN_GAP,
    INDEX_KIND,
    LEARNED_CALL,
    LEARNED_NOTHING,
    NEARLY_NUMBERS,
    NO_MEMBER,
    STREAM_WHOLE,
    TEXT_COLUMN,
    Note,
)
from ...diagnostics.spelling import counted, nearest
from ...ops import OPS, left_out, other_names
from ...program import BatchField, Field, SessionValue
from ...record import replace
from ...source import Span
from ...syntax import tree as t
from ...syntax.hints import arguments_at, calls_at
from ...types import STRING, TensorType
from ..context import Analysis, StatementFailed
from ..values import (
    Array,
    Batch,
    DataValue,
    ErrorValue,
    Evaluation,
    ExprValue,
    Host,
    IndexItem,
    LearnedFact,
    Namespace,
    Optimizer,
    Outputs,
    Results,
    RuntimeValue,
    ShapeOf,
    Tensor,
    describe,
)
from . import elsewhere
from .arguments import Arguments
from .other_layers import layer
from .scopes import inner_space
from .wrong_kind import several_values

_LABELS = ("label", "labels", "names", "classes", "categories", "class_names", "target_names")  # of a target elsewhere
_LONG = 80  # maximum length of a name of a column that a help line repeats
_MEMBERS = 50  # maximum number of members of a scope or module in a message


def member(ctx: Analysis, expr: t.Attribute, value: ExprValue) -> ExprValue:
    """A member of a value."""
    name = expr.name
    match value:
        case Namespace():
            binding = value.env.member(value.paths, name)
            if binding is not None:
                return ctx.use(binding.value, expr.span, expr.span.text)
            if (inner := inner_space(value, name)) is not None:
                return inner
            is_scope = value.paths != ((),) or value.env.caller is not None
            if ctx.is_doubtful(name) or (is_scope and ctx.is_partial):
                raise StatementFailed(None)
            known = value.env.members(value.paths)
        case Tensor() | Array():
            if name == "shape":
                return ShapeOf(value.type.shape, expr.span.text)
            if name == "dtype":
                return value.type.dtype
            known = {"shape", "dtype"}
        case DataValue():
            result = _dataset_attribute(ctx, value, expr)
            if result is not None:
                return result
            if name in learned_words():
                return LearnedFact(value.name, name)
            known = _fields(value.schema) | {name for name, _ in value.schema.parts} | learned_words()
        case Batch():
            return _batch_attribute(ctx, value, expr)
        case Evaluation():
            if name in value.fields:
                return value.fields[name]
            known = set(value.fields)
        case RuntimeValue(type=TensorType() as type) if name in ("shape", "dtype"):
            return ShapeOf(type.shape, expr.span.text) if name == "shape" else type.dtype
        case Outputs() if name in value.names:
            return value[value.names.index(name)]
        case Outputs() | Results() if name in ("shape", "dtype"):
            several_values(ctx, value, expr.value.span)
        case Outputs():
            known = set(value.names)
        case ErrorValue():
            raise StatementFailed(None)
        case _:
            known = set()
    help = _member_help(ctx, value, expr.value.span.text, name, known, expr.span)
    if isinstance(value, DataValue) and name == "target":
        help = targetless(ctx, value.name) or help

    ctx.fail(NO_MEMBER, expr.span, help=help, value=_subject(expr, value), name=name)


def targetless(ctx: Analysis, name: str) -> str:
    """How to give data a target. Only the first use of the missing target is reported."""
    if name in ctx.targetless:
        raise StatementFailed(None)
    ctx.targetless.add(name)
    data = next((one for one in ctx.data if one.name == name), None)
    statement = next((one for one in ctx.tree if isinstance(one, t.Data) and one.target.id == name), None)
    if data is None or statement is None:
        return ""
    source, columns = statement.stages[0], ctx.datasets[name].schema.names
    if gone := _target_gone(ctx, statement, name):
        return gone
    if not any(param.name == "target" for param in SOURCES[source.name].params):
        return ""
    kinds = [TRANSFORMS[stage.name] for stage in statement.stages[1:]]
    column = columns[-1] if all(kind.learns or kind.of_rows or kind.divides for kind in kinds) else "..."
    given = "".join(f"{one.span.text}, " for one in source.arguments if one.name != "target")
    call = f'{source.name}({given}target="{column}")'
    return f"name the target's column on line {statement.span.line}: {call}, or another column"


def _target_gone(ctx: Analysis, statement: t.Data, name: str) -> str:
    """How to keep the target of a source that a transform takes away, or that the rows of `fitted` lack."""
    pipeline = ctx.pipelines.get(name)
    if pipeline is None:
        return ""
    stages = [statement.stages[at + 1] for at in pipeline.order]
    for at, (stage, before, after) in enumerate(zip(stages, pipeline.schemas, pipeline.schemas[1:])):
        if before.targets and not after.targets:
            target = before.targets[0].name
            return f"the target is {shown(target)}, which {stage.name} takes away: leave it out of {stage.span.text}"
        kind = TRANSFORMS[stage.name]
        learned = fitted_of(pipeline.learned(at)) if kind.takes_data else None
        if learned is not None and learned.source.targets:
            target = learned.source.targets[0].name
            column = before.column(target)
            if column is None:
                return (
                    f"its rows have no column {shown(target)}, the target of {learned.name}: they are there to predict "
                    "it"
                )
            if not column.gaps:  # windows go to the last row
                return f"name the target in its source: target={shown(target)}"
            test = target if column.field == target else f"column({shown(target)})"
            return (
                f"{shown(target)}, the target of {learned.name}, is missing in {counted(column.gaps, 'row')}: the rows "
                f"are there to predict it. To use those that have it, write in the source target={shown(target)}, and "
                f"after it | where({test} == {test})"
            )
    return ""


def _member_help(ctx: Analysis, value: ExprValue, text: str, name: str, known: set[str], span: Span) -> str:
    """A help line for a member that a value, which the program writes as `text`, does not have. `span` is the place of
    both."""
    known = {one for one in known if not one.startswith("_")}
    if in_braces := re.match(rf"\{{([\w.]+?)\.{re.escape(name)}\b", text):  # of a string
        text = in_braces[1]
    if isinstance(value, (Tensor, Array, RuntimeValue)):
        is_tensor = isinstance(value, Tensor)
        dtype = value.type.dtype if isinstance(value.type, TensorType) else None
        if isinstance(value, Array) and isinstance(value.field, Field) and name in ("train", "validation", "test"):
            return f"write: {value.field.data}.{name}.{text.rpartition('.')[2]}"
        text = text if len(text) <= _LONG and "\n" not in text else "x"
        column = re.match(r'\(\s*"([^"\n]*)"', span.source.text[span.end : span.end + _LONG])
        if column and isinstance(value, Array) and isinstance(value.field, Field):
            return _of_column(ctx, value.field, name, column[1])
        given = arguments_at(span.source, span.end)
        if help := other_names.value_member(name, text, is_tensor, dtype, given):
            return help
        if isinstance(value, Array) and (help := _of_its_data(ctx, value, text, name)):
            return help
    if isinstance(value, Optimizer) and name in ("minimize", "apply_gradients", "step"):
        given = arguments_at(span.source, span.end)
        return f"write: optimize {given[0] if given else 'cost'} with {text}"
    if isinstance(value, str) and name == "format":
        return 'names in braces are replaced by their values: print "step {step}"'
    if isinstance(value, (DataValue, Batch)):
        begun = span.end - len(name)  # of a column whose name is no word
        column = next((c.name for c in value.schema.table if span.source.text.startswith(c.name, begun)), None)
        if column is not None and column not in known:
            return f"write: {text}[{shown(column)}]"
    if isinstance(value, (DataValue, Batch)) and (help := _data_help(ctx, value, text, name, known)):
        return help
    is_layer = isinstance(value, Namespace) and value.name == "nn" and name not in OPS
    if is_layer and (way := layer(name, calls_at(span.source, span.end), True)):
        return way
    if isinstance(value, Namespace) and name in OPS:
        return f"{name} is an op of the language: write it without '{value.name}.'"
    if isinstance(value, Namespace) and (help := left_out.instead(name)):
        return help
    if isinstance(value, RuntimeValue) and isinstance(value.expr, SessionValue) and not value.expr.field:
        return f"{text} is a single value, not one of several with names: write: {text}"
    if isinstance(value, (list, tuple)) and name in ("sum", "max", "min"):
        return f"write: {name}({text})"
    if isinstance(value, (list, tuple)) and value:
        return f"a list has its values by number: {text}[0] to {text}[{len(value) - 1}]"
    near = ctx.did_you_mean(name, known)
    if isinstance(value, DataValue) and not value.part and not near and nearest(name, ("train", "test")):
        return f"these come with a split: {_split_of(ctx, value)}"
    return near or (f"it has {', '.join(sorted(known))}" if 0 < len(known) <= _MEMBERS else "")


def _of_column(ctx: Analysis, field: Field, name: str, column: str) -> str:
    """A help line for what is asked of a column of data, such as its mean, with the data's features in place of it."""
    learned = _columns_with(ctx, field.data, name)
    if column in learned:
        return f"write: {field.data}.{name}({shown(column)})"
    found = ctx.datasets[field.data].schema.column(column)
    if found is None or found.dtype == STRING:
        close = nearest(column, learned)
        if close is not None:
            return f"write: {field.data}.{name}({shown(close)})"
        return f"{field.data} has it of {listed(learned)}" if learned else ""
    owner = ".".join(filter(None, (field.data, field.part)))
    return other_names.value_member(name, f"{owner}[{shown(column)}]", False, found.dtype)


def _columns_with(ctx: Analysis, data: str, word: str) -> list[str]:
    """The columns of which the transforms of data have learned something with this word, such as `mean`."""
    try:
        return list(_fitted(ctx, data).readable(word)) if word in learned_words() else []
    except DataError:
        return []


def _of_its_data(ctx: Analysis, value: Array, text: str, name: str) -> str:
    """A help line for a member that not the array has, such as the features, but the data or batch that it is of."""
    owner, _, field = text.rpartition(".")
    if not owner or field != value.field.field:
        return ""
    if not isinstance(value.field, Field):
        return f"write: {owner}.{name}" if name in ("rows", "columns") else ""
    schema = ctx.datasets[value.field.data].schema
    if name in learned_words():
        data, learned = value.field.data, _columns_with(ctx, value.field.data, name)
        return f"{data} has it of {listed(learned)}, as in {data}.{name}({shown(learned[0])})" if learned else ""
    if name in _LABELS and field == "target":
        column = next((one.name for one in schema.targets), "")
        is_numbered = any(one.name == "categories" for one in ctx.pipelines[value.field.data].spec.transforms)
        return (
            f"write: {value.field.data}.categories({shown(column)})" if is_numbered else f"the labels are {text} itself"
        )
    part = schema.part(value.field.part) if value.field.part else schema
    if part is not None and name in _fields(part) - {"features"}:
        return f"write: {owner}.{name}"
    target = next((one.name for one in schema.targets), "y")
    return elsewhere.data_member(
        name, owner, value.field.data, shown(target), TRANSFORMS, [one for one, _ in schema.parts]
    )


def _split_of(ctx: Analysis, value: DataValue) -> str:
    """How to split data, before a transform that makes windows of its series."""
    for step in ctx.pipelines[value.name].spec.transforms:
        if TRANSFORMS[step.name].remakes_rows:
            by = step.arguments.get("by")
            series = "ordered=true" if by is None else f"by={shown(str(by))}"
            return f"... | split(test=0.2, {series}) | {step.name}(...)"
    return "... | split(test=0.2)"


def _data_help(ctx: Analysis, value: DataValue | Batch, text: str, name: str, known: set[str]) -> str:
    """A help line for a member of data that has another name here."""
    data = value.data if isinstance(value, Batch) else value.name
    target = next((one.name for one in value.schema.targets), None)
    split = [name for name, _ in value.schema.parts] if isinstance(value, DataValue) else []
    help = elsewhere.data_member(name, text, data, shown(target or "y"), TRANSFORMS, split)
    if target is None and help.endswith(".target") and (way := targetless(ctx, data)):
        return way
    member = help.removeprefix(f"write: {text}.")
    is_there = member == help or re.split(r"\W", member)[0] in known
    if is_there or isinstance(value, DataValue):
        return help
    return f"write: {data}.{member}" if data in ctx.datasets and member != "target" else ""


def _subject(expr: t.Attribute, value: ExprValue) -> str:
    text, described = _shown(expr.value), describe(value)
    return f"'{text}', {described}," if len(text) <= 40 and not described.endswith(f" {text}") else described


def _shown(expr: t.Expr) -> str:
    """The text of an expression. The parts of a dotted name may have the span of the whole."""
    match expr:
        case t.Name(id=name):
            return name
        case t.Attribute(value=value, name=name):
            return f"{_shown(value)}.{name}"
        case _:
            return expr.span.one_line


def _fields(schema: Schema) -> set[str]:
    """The words after the dot of data and batches, apart from columns whose names are no words."""
    known = {column.name for column in schema.table if column.field == column.name}
    return known | {"features", "rows", "columns"} | ({"target"} if schema.targets else set())


def _dataset_attribute(ctx: Analysis, value: DataValue, expr: t.Attribute) -> ExprValue:
    match expr.name:
        case "rows":
            return value.schema.rows
        case "columns":
            return value.schema.columns
        case "train" | "validation" | "test" as part:
            schema = value.schema.part(part)
            return None if schema is None or value.part else replace(value, part=part, schema=schema)
    return _data_field(ctx, value, expr.name, expr)


def learned_words() -> set[str]:
    """The words by which programs read what transforms have learned."""
    return {word for one in TRANSFORMS.values() if isinstance(one, ColumnMaker) for word in one.words}


def _fitted(ctx: Analysis, data: str) -> Fitted:
    """What a data set has learned, or had learned when a model was trained."""
    pipeline = ctx.pipelines[data]
    return among(ctx.learned, pipeline.learned_by) or pipeline.fitted()


def learned_of(ctx: Analysis, fact: LearnedFact, given: Arguments, span: Span) -> Host:
    """What a data set has learned of a column, as in `titanic.mean("age")`."""
    column = given[0][1].value if len(given) == 1 and given[0][0] is None else None
    if not isinstance(column, str):
        value = "this" if len(given) != 1 or given[0][0] is not None else describe(column)
        ctx.fail(LEARNED_CALL, given[0][1].span if given else span, data=fact.data, word=fact.word, value=value)
    try:
        fitted = _fitted(ctx, fact.data)
    except DataError as error:
        ctx.fail(error.message, span, note_of(error.place), **error.details)
    found, column = fitted.readable(fact.word), composed(column)
    if column in found:
        return found[column]
    words = {word: list(fitted.readable(word)) for word in sorted(learned_words())}
    way = "; ".join(f"{word} of {listed(columns)}" for word, columns in words.items() if columns)
    close = nearest(column, found)
    help = f"did you mean {shown(close)}?" if close else f"it has {way}" if way else "none of its transforms learns"
    if not found:
        makers = [one for one in TRANSFORMS.values() if isinstance(one, ColumnMaker) and fact.word in one.words]
        help += f"; {fact.word} is learned by | {' and | '.join(sorted(one.name for one in makers))}"
    ctx.fail(LEARNED_NOTHING, given[0][1].span, data=fact.data, word=fact.word, column=shown(column), way=help)


def column_of(ctx: Analysis, value: DataValue | Batch, items: list[IndexItem], expr: t.Index) -> ExprValue:
    """A column of data or of a batch: `batch["home city"]`."""
    item = items[0]
    if len(items) != 1 or not isinstance(item, str):
        text = expr.value.span.one_line
        help = f'name a column in quotes: {text}["age"], or take rows: {text}.features[:5]'
        index = "an index that is no name of a column"
        ctx.fail(INDEX_KIND, expr.span, help=help, value=describe(value), index=index)
    column = value.schema.column(item)
    if column is None:
        known = [one.name for one in value.schema.table]
        help = ctx.did_you_mean(item, known) or f"the columns are {listed(known)}"
        ctx.fail(NO_MEMBER, expr.span, help=help, value=describe(value), name=item)
    if isinstance(value, DataValue):
        return _data_field(ctx, value, column.field, expr)
    check_field(ctx, value, column.field, expr.span)
    return field_of(value, column.field)


def _data_field(ctx: Analysis, value: DataValue, field: str, expr: t.Attribute | t.Index) -> Array | None:
    """A field of data. None if there is no such field."""
    check_field(ctx, value, field, expr.span)
    array = field_of(value, field)
    if array is not None and value.schema.streamed:
        ctx.fail(STREAM_WHOLE, expr.span, name=expr.value.span.one_line, field=field)
    ctx.used.setdefault((value.name, field), expr.span)
    return array


def field_of(value: DataValue | Batch, name: str) -> Array | None:
    """A field of data or of a batch as an array: features, target or a column. None if there is no such field."""
    type = value.schema.type_of(name)
    if type is None:
        return None
    if isinstance(value, DataValue):
        return Array(Field(value.name, value.part, name), type)
    return Array(BatchField(name), TensorType(type.dtype, (value.size, *(type.shape or ())[1:])))


def check_field(ctx: Analysis, value: DataValue | Batch, field: str, span: Span) -> None:
    """Refuse a field of data that cannot be made into an array: text or missing cells among numbers."""
    data = value.name if isinstance(value, DataValue) else value.data
    pipeline = ctx.pipelines.get(data)
    if pipeline is None or (data, field) in ctx.sound:
        return
    columns = value.schema.columns_of(field)
    for column in columns:
        if column.nearly_numbers and (data, column.name) not in ctx.nearly:
            ctx.nearly.add((data, column.name))
            place, cell = pipeline.first_text(column.name) or (None, "its text")
            ctx.report(NEARLY_NUMBERS, span, note_of(place), column=shown(column.name), data=data, cell=shown(cell),
                       way=odd_cell(column.name, cell, pipeline.spec.source.arguments))  # fmt: skip
    try:
        pipeline.check_columns(field, columns)
    except DataError as error:
        if (data, field) in ctx.refused:
            raise StatementFailed(None) from None
        ctx.refused.add((data, field))
        other = _trained_alike(ctx, data) if error.message in (TEXT_COLUMN, COLUMN_GAP) else ""
        place = " in place of its transforms" if pipeline.spec.transforms else ""
        help = f"write | fitted({other}){place}, which does with these rows what {other} does with its own"
        ctx.fail(error.message, span, note_of(error.place), help if other else "", **error.details)
    ctx.sound.add((data, field))


def _trained_alike(ctx: Analysis, data: str) -> str:
    """Another data set with the columns of this one, whose transforms learn. "" if there is none."""
    pipeline = ctx.pipelines[data]
    if any(TRANSFORMS[step.name].takes_data for step in pipeline.spec.transforms):
        return ""
    names = {column.name for column in pipeline.schemas[0].table}
    return next((name for name, other in ctx.pipelines.items() if name != data and other.learns
                 and names <= {column.name for column in other.schemas[0].table}), "")  # fmt: skip


def note_of(place: FilePlace | None) -> tuple[Note, ...]:
    """A note of a place in a file of data."""
    return () if place is None else (Note(f"at {place}"),)


def _batch_attribute(ctx: Analysis, batch: Batch, expr: t.Attribute) -> ExprValue:
    schema = batch.schema
    match expr.name:
        case "rows":
            return RuntimeValue(BatchField("rows"))
        case "columns":
            return schema.columns
    check_field(ctx, batch, expr.name, expr.span)
    array = field_of(batch, expr.name)
    if array is not None:
        return array
    known = _fields(schema)
    help = (targetless(ctx, batch.data) if expr.name == "target" else "") or _member_help(
        ctx, batch, expr.value.span.text, expr.name, known, expr.span
    )

    ctx.fail(NO_MEMBER, expr.span, help=help, value=_subject(expr, batch), name=expr.name)
