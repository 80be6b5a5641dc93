"""Warns of features that leave columns out, and of a target that is among the features.

Input: the finished program. Output: a warning at the feed, once for each data set.
"""

from collections.abc import Iterable, Iterator

from ..data.schema import shown
from ..diagnostics import LEFT_OUT, TARGET_AMONG
from ..program import BatchField, Feed, Field, Program, Statement, Train
from ..record import Record
from .context import Analysis


class FedField(Record):
    """A field of data that is fed, and the feed."""

    data: str
    field: str
    feed: Feed


def warn_columns(ctx: Analysis, program: Program) -> None:
    statements = [one for session in program.sessions for one in _statements(session.body, "")]
    used = {(one.data, one.field) for fields in statements for one in fields}
    told: set[str] = set()
    for fields in statements:
        for one in fields:
            if one.data in ctx.datasets and one.data not in told and _warn(ctx, one, fields, used):
                told.add(one.data)


def _warn(ctx: Analysis, fed: FedField, beside: Iterable[FedField], used: set[tuple[str, str]]) -> bool:
    schema = ctx.datasets[fed.data].schema
    if fed.field == "features":
        left = [column for column in schema.left_out if (fed.data, column.field) not in used]
        if left:
            columns, first = " and ".join(shown(column.name) for column in left), shown(left[0].name)
            ctx.report(LEFT_OUT, fed.feed.origin.span, data=fed.data, columns=columns, first=first)
        return bool(left)
    features = next((one for one in beside if one.data == fed.data and one.field == "features"), None)
    if features is None or schema.targets or not any(column.field == fed.field for column in schema.features):
        return False
    column = schema.columns_of(fed.field)[0].name
    ctx.report(TARGET_AMONG, fed.feed.origin.span, name=fed.feed.text, column=shown(column), other=features.feed.text)
    return True


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
