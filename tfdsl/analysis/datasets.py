"""Analyses declarations of data: the source and transforms, their arguments, and the resulting sizes."""

import os
from collections.abc import Mapping

from ..data import SOURCES, TRANSFORMS, DataError, schema_of
from ..data.declaration import is_path
from ..data.stage import StageKind
from ..diagnostics import CSV_SEPARATOR, NOT_STATIC, UNKNOWN_NAME, Note
from ..ops.op import Parameter
from ..program import Data, DataStage
from ..source import Span
from ..syntax import tree as t
from .arguments import assign_arguments, missing
from .context import Analysis
from .expressions import arguments_of
from .values import DataValue, Env, describe, is_host


def declared_data(ctx: Analysis, env: Env, statement: t.Data) -> DataValue:
    """The data set of a declaration, with checked source and transforms and known sizes."""
    name = ctx.prefix + statement.target.id
    source, *transforms = statement.stages
    stages = [_stage(ctx, env, source, SOURCES, "sources of data")]
    stages += [_stage(ctx, env, stage, TRANSFORMS, "transforms") for stage in transforms]
    data = Data(name, stages[0], tuple(stages[1:]), ctx.folder, 0, 0, ctx.origin(statement.span))
    try:
        schema = schema_of(data, ctx.given_data.get(name), ctx.access, ctx.clock)
    except DataError as error:
        at = error.stage or 0
        stage = statement.stages[at]
        row = (TRANSFORMS if at else SOURCES)[stage.name]
        place = _blamed(stage, row.params, error.param)
        ctx.fail(error.message, place, _notes(error), _replaced(ctx, name, stage, error), **error.details)

    data = Data(name, data.source, data.transforms, ctx.folder, schema.rows, schema.columns, data.origin)
    dataset = DataValue(name, "", schema, statement.span)
    ctx.data.append(data)
    ctx.datasets[name] = dataset
    return dataset


def _blamed(stage: t.Stage, params: tuple[Parameter, ...], param: str | None) -> Span:
    """The place of the argument to blame, or of the whole stage."""
    names = [p.name for p in params]
    for at, argument in enumerate(stage.arguments):
        if param is not None and param == (argument.name or names[at]):
            return argument.value.span
    return stage.span


def _replaced(ctx: Analysis, name: str, stage: t.Stage, error: DataError) -> str:
    """What to write for a file that replaces the source of some data and needs an argument that the source lacks."""
    path = ctx.given_data.get(name)
    params = [param.name for param in SOURCES[stage.name].params] if not error.stage else ["separator"]
    if error.message is not CSV_SEPARATOR or not is_path(path) or "separator" in params:
        return ""
    file = os.path.relpath(path, ctx.folder)
    return f'declare it in the program: data {name} = csv("{file}", separator={error.details["found"]}, target="...")'


def _notes(error: DataError) -> tuple[Note, ...]:
    return (Note(f"at {error.place}"),) if error.place else ()


def _stage(ctx: Analysis, env: Env, stage: t.Stage, table: Mapping[str, StageKind], kind: str) -> DataStage:
    row = table.get(stage.name)
    if row is None:
        help = ctx.did_you_mean(stage.name, table) or f"the {kind} are " + ", ".join(table)
        if stage.name in TRANSFORMS:
            inner = stage.arguments[0].span.text if len(stage.arguments) == 1 else "moons(400)"
            help = f"a transform follows its data: {inner} | {stage.name}"
        place = Span(stage.span.source, stage.span.start, stage.span.start + len(stage.name))
        ctx.fail(UNKNOWN_NAME, place, help=help, name=stage.name)
    params = {p.name: p for p in row.params}
    arguments = assign_arguments(
        ctx, stage.name, row.signature, list(params), arguments_of(ctx, env, stage.arguments), stage.span,
    )  # fmt: skip
    values = {}
    for name, param in params.items():
        if name not in arguments:
            if not isinstance(param.default, (int, float, str, bool, type(None))):
                missing(ctx, stage.name, row.signature, name, stage.span)
            values[name] = param.default
            continue
        value = arguments[name].value
        if value is not None and not is_host(value):
            ctx.fail(NOT_STATIC, arguments[name].span, what=f"'{name}' of {stage.name}", value=describe(value))
        values[name] = value
    return DataStage(stage.name, values)
