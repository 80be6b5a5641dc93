"""Analyses declarations of data: the source and transforms, their arguments, and the resulting sizes."""

from collections.abc import Mapping
from typing import assert_never

from ...data import SOURCES, TRANSFORMS, DataError
from ...data.declaration import pipeline_of
from ...data.pipeline import Pipeline
from ...data.schema import by_kind, composed, shown
from ...data.stage import StageKind, written
from ...data.transforms.base import ColumnMaker, Transform
from ...diagnostics import (
    ARGUMENTS_MANY,
    CLASSES_APART,
    COLUMN_NAME,
    CONDITION_ARGUMENT,
    DATA_TOGETHER,
    FITTED_DATA,
    LEARNED_MISSING,
    NOT_STATIC,
    REST_KIND,
    UNKNOWN_NAME,
    Note,
)
from ...diagnostics.spelling import listed
from ...ops.op import Parameter
from ...program import Data, DataStage, HostValue
from ...source import Span
from ...syntax import tree as t
from ..calls import elsewhere
from ..calls.arguments import ArgumentValue, assign_arguments, missing
from ..calls.members import note_of
from ..context import Analysis
from ..expressions.conditions import condition, in_and, is_known, names_in
from ..expressions.expressions import value_of
from ..values import DataValue, Env, ExprValue, as_dtype, describe, freeze, is_host

_SOURCES = "sources of data"
_TAKING_DATA = frozenset(name for name, one in TRANSFORMS.items() if one.takes_data)


def declared_data(ctx: Analysis, env: Env, statement: t.Data) -> DataValue:
    """The data set of a declaration, with checked source and transforms and known sizes."""
    name = ctx.prefix + statement.target.id
    source, *transforms = statement.stages
    stages = [_stage(ctx, env, source, SOURCES, _SOURCES)]
    stages += [_stage(ctx, env, stage, TRANSFORMS, "transforms") for stage in transforms]
    data = Data(name, stages[0], tuple(stages[1:]), ctx.folder, 0, 0, ctx.origin(statement.span))
    try:
        pipeline = pipeline_of(
            data, ctx.given_data.get(name), ctx.access, ctx.clock, ctx.pipelines, opening=ctx.opening
        )
    except DataError as error:
        at = error.stage or 0
        stage = statement.stages[at]
        row = (TRANSFORMS if at else SOURCES)[stage.name]
        place = _blamed(stage, row.params, error.param)
        named = next((one.value.span.text.strip('"') for one in stage.arguments), "")
        quoted = error.message is LEARNED_MISSING and named in ctx.datasets  # a data set as the path of a model
        help = f"the data {named} is written without quotes: {stage.name}({named})" if quoted else ""
        ctx.fail(error.message, place, note_of(error.place), help, **error.details)

    ctx.pipelines[name], schema = pipeline, pipeline.schema
    _doubts(ctx, pipeline, statement)
    data = Data(name, data.source, data.transforms, ctx.folder, schema.rows, schema.columns, data.origin)
    dataset = DataValue(name, "", schema, statement.span)
    _check_classes(ctx, dataset)
    ctx.data.append(data)
    ctx.datasets[name] = dataset
    return dataset


def _blamed(stage: t.Stage, params: tuple[Parameter, ...], param: str | None) -> Span:
    """The place of the argument to blame, or of the whole stage."""
    names = [p.name for p in params]
    for argument in stage.arguments:
        if param is not None and argument.name == param:
            return argument.value.span
    for at, argument in enumerate(stage.arguments):
        given = argument.name or (names[at] if at < len(names) else "")
        value = argument.value.value if isinstance(argument.value, t.Constant) else None
        if param is not None and param in (given, f"column {value}"):
            return argument.value.span
    return stage.span


def _texts(stage: t.Stage) -> list[str]:
    """The arguments without a name, if they are texts or one list of texts."""
    values = [one.value for one in stage.arguments if one.name is None]
    if len(values) == 1 and isinstance(values[0], t.List):
        values = list(values[0].items)
    found = [one.value for one in values if isinstance(one, t.Constant) and isinstance(one.value, str)]
    return found if len(found) == len(values) else []


def _stage(ctx: Analysis, env: Env, stage: t.Stage, table: Mapping[str, StageKind], kind: str) -> DataStage:
    row = table.get(stage.name)
    if row is None:
        help = elsewhere.stage(stage.name, _texts(stage)) or ctx.did_you_mean(stage.name, table)
        help = help or f"the {kind} are " + ", ".join(table)
        if stage.name in TRANSFORMS:
            inner = stage.arguments[0].span.text if len(stage.arguments) == 1 else "moons(400)"
            help = f"a transform follows its data: {inner} | {stage.name}"
        if kind == _SOURCES and (declared := ctx.datasets.get(stage.name)) is not None:
            help = f"a declaration begins with a source: write: {declared.span.one_line.partition('=')[2].strip()}"
        place = Span(stage.span.source, stage.span.start, stage.span.start + len(stage.name))
        ctx.fail(UNKNOWN_NAME, place, help=help, name=stage.name)
    params = {p.name: p for p in row.params}
    given, values, columns = stage.arguments, dict[str, HostValue](), tuple[str, ...]()
    if isinstance(row, Transform) and row.takes_columns:
        names = [one for one in given if one.name is None]
        given = tuple(one for one in given if one.name is not None)
        values["columns"] = columns = tuple(_column_name(ctx, env, stage, row, one.value) for one in names)
        if row.needs_columns and not names:
            missing(ctx, stage.name, row.usage, "column", stage.span)
    if isinstance(row, Transform) and row.takes_data:
        return DataStage(stage.name, _fitted_to(ctx, env, stage, row))
    if isinstance(row, Transform) and row.takes_condition:
        for one in given:
            if one.name is not None:
                ctx.fail(CONDITION_ARGUMENT, one.span, name=one.name, value=one.value.span.text)
        if len(given) > 1:
            joined = " and ".join(in_and(one.value) for one in given)
            ctx.fail(ARGUMENTS_MANY, given[1].span, help=f"write: {stage.name}({joined})", function=stage.name,
                     limit="1 argument", count=len(given), signature=row.usage)  # fmt: skip
        if not given:
            missing(ctx, stage.name, "age > 30 and income > 10", "condition", stage.span)
        return DataStage(stage.name, {**values, "condition": condition(ctx, env, given[0].value)})
    arguments = assign_arguments(
        ctx, stage.name, row.usage, list(params), [_argument(ctx, env, one) for one in given], stage.span,
    )  # fmt: skip
    for first, others in row.excludes.items():
        for other in others:
            if other in arguments and first in arguments and arguments[first].value not in (None, False):
                span = arguments[other].whole or arguments[other].span
                ctx.fail(DATA_TOGETHER, span, name=stage.name, first=first, other=other)
    for name, param in params.items():
        if name not in arguments:
            if not isinstance(param.default, (int, float, str, bool, type(None))):
                word = next((one for one in columns if isinstance(row, ColumnMaker) and one in row.words), "")
                missing(ctx, stage.name, row.usage, name, stage.span, word and f"write: {name}={written(word)}")
            values[name] = param.default
            continue
        value = arguments[name].value
        if value is not None and not is_host(value):
            ctx.fail(NOT_STATIC, arguments[name].span, what=f"'{name}' of {stage.name}", value=describe(value))
        values[name] = freeze(value)
    return DataStage(stage.name, values)


def _column_name(ctx: Analysis, env: Env, stage: t.Stage, row: Transform, expr: t.Expr) -> str:
    """The name of a column that a transform is given."""
    if isinstance(expr, t.Name) and not env.binds(expr.id):
        ctx.fail(UNKNOWN_NAME, expr.span, help=f'columns are named in quotes: {stage.name}("{expr.id}")', name=expr.id)
    value = value_of(ctx, env, expr)
    if not isinstance(value, str):
        ctx.fail(COLUMN_NAME, expr.span, help=_named_help(stage, row, value, expr), name=stage.name,
                 value=describe(value))  # fmt: skip
    return composed(value)


def _named_help(stage: t.Stage, row: Transform, value: ExprValue, expr: t.Expr) -> str:
    """A help line for what stands in the place of the names of columns."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, str) for one in value):
        return f"write the names without the list: {stage.name}({', '.join(map(written, value))})"
    given = {one.name for one in stage.arguments}
    free = [p.name for p in row.params if p.name not in given]
    return f"write: {free[0]}={expr.span.text}" if free and is_host(value) else ""


def _fitted_to(ctx: Analysis, env: Env, stage: t.Stage, row: Transform) -> dict[str, HostValue]:
    """The data set that a transform is given: one of the program, or one beside a checkpoint. Its `name` is None for
    the first, and empty for the only one of a file."""
    first = stage.arguments[0].value if stage.arguments else None
    if isinstance(first, t.Name) and not is_known(ctx, env, first):
        help = ctx.did_you_mean(first.id, ctx.datasets)
        help = help or f"it takes data that is declared above it: {listed(ctx.datasets) or 'here there is none'}"
        ctx.fail(UNKNOWN_NAME, first.span, help=help, name=first.id)
    names, given = [p.name for p in row.params], [_argument(ctx, env, one) for one in stage.arguments]
    arguments = assign_arguments(ctx, stage.name, row.usage, names, given, stage.span)
    if "data" not in arguments:
        missing(ctx, stage.name, row.usage, "data", stage.span)
    data, name = arguments["data"], arguments.get("name")
    if isinstance(data.value, DataValue) and data.value.name in ctx.pipelines and name is None:
        return {"data": data.value.name, "name": None}
    wrong = data if not isinstance(data.value, str) else name
    of = "" if name is None else name.value
    if not isinstance(data.value, str) or not isinstance(of, str):
        ctx.fail(FITTED_DATA, wrong.span if wrong else stage.span, value=describe(wrong.value if wrong else None))
    return {"data": data.value, "name": of}


def _argument(ctx: Analysis, env: Env, argument: t.Argument) -> tuple[str | None, ArgumentValue]:
    """An argument of a source or a transform. A dictionary is a list of pairs, a dtype its name."""
    if argument.is_rest:
        ctx.fail(REST_KIND, argument.span, value="an argument of data")
    span, whole = argument.value.span, argument.span if argument.name else None
    _check_quoted(ctx, env, argument.value)
    if isinstance(argument.value, t.Dictionary):
        pairs = [tuple(_plain(ctx, env, one) for one in (e.key, e.value)) for e in argument.value.entries]
        return argument.name, ArgumentValue(tuple(pairs), span, whole)
    value = value_of(ctx, env, argument.value)
    if argument.name == "by" and isinstance(value, str):  # names a column
        value = composed(value)
    return argument.name, ArgumentValue(value, span, whole)


def _check_quoted(ctx: Analysis, env: Env, expr: t.Expr) -> None:
    """Refuse text without quotes, which looks like an unknown name."""
    match expr:
        case t.Name() | t.Attribute() if not all(is_known(ctx, env, name) for name in names_in(expr)):
            text = expr.span.text
            constant = text.lower() if text.lower() in ("true", "false", "none") else ""
            help = f"write: {constant}" if constant else f'a text is in quotes: "{text}"'
            ctx.fail(UNKNOWN_NAME, expr.span, help=help, name=text)
        case t.List(items=items) | t.Tuple(items=items):
            for one in items:
                _check_quoted(ctx, env, one)
        case t.Dictionary(entries=entries):
            for one in entries:
                _check_quoted(ctx, env, one.key)
        case (
            t.Name() | t.Attribute() | t.Constant() | t.Binary() | t.Unary() | t.Boolean() | t.Compare()
            | t.Conditional() | t.Call() | t.Index() | t.Comprehension() | t.Slice() | t.Dots() | t.Later()
        ):  # fmt: skip
            pass  # evaluating it reports what is wrong
        case _:
            assert_never(expr)


def _plain(ctx: Analysis, env: Env, expr: t.Expr) -> ExprValue:
    """A key or value of a dictionary. Anything but a value or a dtype becomes its text, which the source refuses."""
    value = value_of(ctx, env, expr)
    dtype = as_dtype(value)
    if dtype is not None and not isinstance(value, str):
        return dtype.name
    return value if is_host(value) else expr.span.text


def _check_classes(ctx: Analysis, data: DataValue) -> None:
    """Warn of class numbers that mean other classes in data that was declared before, some of which are the same."""
    for other in ctx.datasets.values():
        for column in data.schema.table:
            before = other.schema.column(column.name)
            names, others = column.classes, before.classes if before is not None else ()
            if not set(names) & set(others):
                continue
            apart = next((at for at, (a, b) in enumerate(zip(names, others)) if a != b), None)
            if apart is not None:
                ctx.report(CLASSES_APART, data.span, number=apart, name=shown(names[apart]), data=data.name,
                           other_name=shown(others[apart]), other=other.name)  # fmt: skip
                return


def _doubts(ctx: Analysis, pipeline: Pipeline, statement: t.Data) -> None:
    """Report the warnings of sources and transforms, those of one kind at a stage together. A command that uses a
    trained model has rows of its own, so those of the program say nothing when they are held against other data."""
    for first, *others in by_kind(pipeline.doubts):
        if ctx.learned and statement.stages[first.stage or 0].name in _TAKING_DATA:
            continue
        notes = (*note_of(first.place), *(Note(str(one)) for one in others))
        ctx.report(first.message, statement.stages[first.stage or 0].span, notes, **first.details)
