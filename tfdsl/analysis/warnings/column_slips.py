"""Features that leave columns out, and a target that is among the features.

Input: the finished program. Output: a warning at the feed or the first use, once for each data set. Where features do
not fit a placeholder, `left_out` and `instead` say which columns they leave out, and what to feed.
"""

from collections.abc import Iterable, Iterator, Sequence

from ...data.schema import Column, shown, sizes
from ...diagnostics import LEFT_OUT, TARGET_AMONG, Note
from ...program import BatchField, Feed, Field, Program, Statement, Train
from ...record import Record
from ...source import Span
from ...types import Size, SizeMismatch, TensorType, match_shape
from ..context import Analysis

_SHOWN = 6  # columns in a message


class FedField(Record):
    """A field of data that is fed, and the feed."""

    data: str
    field: str
    feed: Feed


def left_out(ctx: Analysis, data: str, field: str) -> tuple[Note, ...]:
    """A note of the columns that the features of some data leave out."""
    columns = _left_out(ctx, data, field)
    if not columns:
        return ()
    others = " and ".join(f"{shown(column.name)} {sizes(column.shape)}" for column in columns)
    known = _some(ctx.datasets[data].schema.features)
    return (Note(f"{data}.features has the columns with one number per row, {known}, and leaves out {others}"),)


def instead(ctx: Analysis, data: str, field: str, owner: str, name: str, declared: TensorType) -> str:
    """A help line for a placeholder that features do not fit, since they leave columns out. `owner` is how the program
    calls the data or its batch."""
    columns = _left_out(ctx, data, field)
    for column in columns:
        if _fits(ctx, declared, column):
            return f"feed the column: {_feed(name, owner, column)}"
    if not columns:
        return ""
    first, others = columns[0], _some(ctx.datasets[data].schema.features)
    type = TensorType(declared.dtype, (Size("n"), *first.shape))
    return (
        f"declare {name}: {type}, and feed {_feed(name, owner, first)}; or leave out the others with | drop({others})"
    )


def _left_out(ctx: Analysis, data: str, field: str) -> tuple[Column, ...]:
    known = ctx.datasets.get(data)
    return () if known is None or field != "features" else known.schema.left_out


def _fits(ctx: Analysis, declared: TensorType, column: Column) -> bool:
    try:
        match_shape(declared.shape, (None, *column.shape), {}, ctx.graph.sizes)
    except SizeMismatch:
        return False
    return True


def _feed(name: str, owner: str, column: Column) -> str:
    return f"{name} = {owner}{'.' if column.field == column.name else ''}{column.field}"


def _some(columns: Sequence[Column]) -> str:
    return ", ".join([*(shown(one.name) for one in columns[:_SHOWN]), *["..."] * (len(columns) > _SHOWN)])


def warn_columns(ctx: Analysis, program: Program) -> None:
    statements = [one for session in program.sessions for one in _statements(session.body, "")]
    used = {(one.data, one.field) for fields in statements for one in fields} | set(ctx.used)
    told: set[str] = set()
    for fields in statements:
        for one in fields:
            if one.data in ctx.datasets and one.data not in told and _warn(ctx, one, fields, used):
                told.add(one.data)
    for (data, field), place in ctx.used.items():
        if field == "features" and data in ctx.datasets and data not in told and _warn_left(ctx, data, place, used):
            told.add(data)


def _warn(ctx: Analysis, fed: FedField, beside: Iterable[FedField], used: set[tuple[str, str]]) -> bool:
    schema = ctx.datasets[fed.data].schema
    if fed.field == "features":
        return _warn_left(ctx, fed.data, fed.feed.origin.span, used)
    features = next((one for one in beside if one.data == fed.data and one.field == "features"), None)
    if features is None or schema.targets or not any(column.field == fed.field for column in schema.features):
        return False
    column = schema.columns_of(fed.field)[0].name
    ctx.report(TARGET_AMONG, fed.feed.origin.span, name=fed.feed.text, column=shown(column), other=features.feed.text)
    return True


def _warn_left(ctx: Analysis, data: str, place: Span, used: set[tuple[str, str]]) -> bool:
    """Warn of features that leave out columns which the program does not use either."""
    left = [column for column in ctx.datasets[data].schema.left_out if (data, column.field) not in used]
    if left:
        columns, first = " and ".join(shown(column.name) for column in left), shown(left[0].name)
        ctx.report(LEFT_OUT, place, data=data, columns=columns, first=first)
    return bool(left)


def _statements(body: Iterable[Statement], data: str) -> Iterator[list[FedField]]:
    """The fields of data that each statement feeds. `data` is what batches are of."""
    for statement in body:
        yield list(_fed(statement.uses().feeds, data))
        inner = statement.data[0] if isinstance(statement, Train) and statement.data is not None else data
        yield from _statements(statement.uses().body, inner)


def _fed(feeds: Iterable[Feed], batches_of: str) -> Iterator[FedField]:
    for feed in feeds:
        match feed.value:
            case Field(data=data, field=field):
                yield FedField(data, field, feed)
            case BatchField(field=field):
                yield FedField(batches_of, field, feed)
            case _:
                pass
