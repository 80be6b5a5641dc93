"""Inputs of exported models that are made of columns of data: `export p with X = titanic.features to PATH`."""

from collections.abc import Iterable, Mapping

from ...data.schema import shown
from ...diagnostics import (
    EXPORT_COLUMN,
    EXPORT_CONFUSED,
    EXPORT_DATA,
    EXPORT_OUTSIDE,
    EXPORT_RENAMED,
    FEED_DTYPE,
    FEED_SHAPE,
    NO_MEMBER,
    Note,
)
from ...diagnostics.spelling import counted
from ...program import Field, Ref
from ...program.signature import input_names
from ...syntax import tree as t
from ...types import BECOMES, SizeMismatch, TensorType, match_shape
from ..calls.members import check_field, field_of, member
from ..context import Analysis
from ..expressions.expressions import evaluate, value_of
from ..values import DataValue, Tensor, describe
from ..warnings.column_slips import instead, left_out
from .feeds import Plan

_SHOWN = 20  # names in a message


def made_input(
    ctx: Analysis, plan: Plan, target: t.Identifier, placeholder: Tensor, expr: t.Expr, outputs: Iterable[str]
) -> Field:
    """The field of data that a model with these outputs makes for a placeholder."""
    data, name = _field(ctx, plan, expr)
    text = expr.span.one_line
    if data is None or name is None:
        value = value_of(ctx, plan.env, expr)
        known = next(iter(ctx.datasets), "titanic")
        ctx.fail(EXPORT_DATA, expr.span, text=text, value=describe(value), name=target.id, data=known)
    check_field(ctx, data, name, expr.span)
    array = field_of(data, name)
    if array is None or not isinstance(array.field, Field):
        if isinstance(expr, t.Attribute):
            member(ctx, expr, data)  # reports that there is none
        ctx.fail(NO_MEMBER, expr.span, value=describe(data), name=name)
    outside = ctx.pipelines[data.name].outside_graph()
    if outside:
        ctx.fail(EXPORT_OUTSIDE, expr.span, data=data.name, name=outside, target=target.id,
                 values=",".join(outputs))  # fmt: skip
    confused = ctx.pipelines[data.name].confused(name)
    if confused:
        ctx.fail(EXPORT_CONFUSED, expr.span, data=data.name, column=shown(confused[0]), why=confused[1],
                 target=target.id, values=",".join(outputs))  # fmt: skip
    made = TensorType(array.type.dtype, (None, *(array.type.shape or ())[1:]))
    _check_type(ctx, target, placeholder, made, expr, Field(data.name, "", name))
    return Field(data.name, "", name)


def _field(ctx: Analysis, plan: Plan, expr: t.Expr) -> tuple[DataValue | None, str | None]:
    """The data and the field that an expression names. Streamed data never is in memory, so it is not evaluated."""
    match expr:
        case t.Attribute(value=inner, name=name):
            value = evaluate(ctx, plan.env, inner)
        case t.Index(value=inner, items=(t.Constant(value=str(column)),)):
            value = evaluate(ctx, plan.env, inner)
            found = value.schema.column(column) if isinstance(value, DataValue) else None
            name = None if found is None else found.field
        case _:
            return None, None
    if not isinstance(value, DataValue) or value.name not in ctx.pipelines or name in ("rows", "columns"):
        return None, None
    return value, name


def _check_type(
    ctx: Analysis, target: t.Identifier, placeholder: Tensor, made: TensorType, expr: t.Expr, field: Field
) -> None:
    declared = placeholder.type
    note = (Note(f"{target.id}: {declared} is from line {{line}}", placeholder.span),)
    if declared.dtype.kind not in BECOMES[made.dtype.kind]:
        ctx.fail(FEED_DTYPE, expr.span, note, name=target.id, declared=declared, actual=made)
    try:
        match_shape(declared.shape, made.shape, {}, ctx.graph.sizes)
    except SizeMismatch:
        notes = (*note, *left_out(ctx, field.data, field.field))
        way = instead(ctx, field.data, field.field, field.data, target.id, declared)
        ctx.fail(FEED_SHAPE, expr.span, notes, way, name=target.id, declared=declared, actual=made)


def check_columns(ctx: Analysis, statement: t.Export, inputs: Mapping[str, Ref], made: Mapping[Ref, Field]) -> None:
    """Check that no two inputs of the model have one name, and warn of those that get another one. Data sets of one
    source share its columns."""
    taken = dict.fromkeys(inputs, "")
    for one, field in zip((one for one in statement.inputs if one.value is not None), made.values(), strict=True):
        for column in ctx.pipelines[field.data].sources_of(field.field):
            other = taken.setdefault(column.name, field.data)
            if not other or _source(ctx, other) != _source(ctx, field.data):
                other = f"a column of {other}" if other else "a placeholder"
                ctx.fail(EXPORT_COLUMN, one.target.span, name=shown(column.name), data=field.data, other=other)
    renamed = {name: new for name, new in input_names(taken).items() if new != name}
    if renamed:
        pairs = [f"the column {shown(name)} as {new}" for name, new in renamed.items()]
        more = f", and {counted(len(pairs) - _SHOWN, 'other')} likewise" if len(pairs) > _SHOWN else ""
        text = ", ".join(pairs[:_SHOWN]) + more
        ctx.report(EXPORT_RENAMED, statement.span, pairs=text, first=next(iter(renamed.values())))


def _source(ctx: Analysis, data: str) -> tuple[object, ...]:
    """What two data sets of one source share, whatever their targets are."""
    spec = ctx.pipelines[data].spec
    arguments = {name: value for name, value in spec.source.arguments.items() if name != "target"}
    return spec.folder, spec.source.name, arguments
