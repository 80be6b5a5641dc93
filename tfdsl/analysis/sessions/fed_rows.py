"""Checks the rows of data that a session feeds: rows fed together must belong together, and test rows must not have
been trained on."""

from collections.abc import Iterable, Iterator

from ...data.declaration import rows_by
from ...diagnostics import ROWS_APART, TEST_TRAINED
from ...program import BatchField, Evaluate, Feed, Field, Init, Statement, Train, walk
from ...record import Record
from ...source import Span
from ..context import Analysis
from .fed_data import changes_trained, given_as


def check_rows(ctx: Analysis, body: tuple[Statement, ...]) -> None:
    """Warn of the rows that the statements of a session feed."""
    apart: set[Span] = set()
    for one, training in _within(body):
        _doubt_apart(ctx, one, one if isinstance(one, Evaluate) else training, apart)
    _doubt_tested(ctx, body, apart)


def _within(body: Iterable[Statement], training: Train | None = None) -> Iterator[tuple[Statement, Train | None]]:
    """All statements, each with the training around it."""
    for one in body:
        yield one, training
        yield from _within(one.uses().body, one if isinstance(one, Train) else training)


# --- rows that belong together ----------------------------------------------------------------


class FedRows(Record):
    """The rows that a feed takes: which rows, `of` how many. `moves` is true for rows of a batch, which change every
    step."""

    feed: Feed
    field: Field | BatchField
    data: str
    part: str
    rows: range
    of: int
    moves: bool
    has_target: bool  # the data

    @property
    def is_target(self) -> bool:
        return self.field.field == "target"

    @property
    def text(self) -> str:
        return " ".join(self.feed.origin.span.text.partition("=")[2].split())


def _doubt_apart(ctx: Analysis, one: Statement, over: Train | Evaluate | None, apart: set[Span]) -> None:
    """Warn if a statement feeds a target without its features, or features next to a batch that has other rows.

    Features of different rows can be fed together, and so can arrays of different sizes. A program that feeds the
    features of some rows and the targets of later rows, up to the last, is a forecast.
    """
    taken = [rows for feed in one.uses().feeds if (rows := _rows(ctx, feed, over)) is not None]
    if len(taken) < 2:
        return
    executed = ctx.executed(ctx.graph, one.uses().executes, one.origin.span)
    taken = [rows for rows in taken if rows.feed.ref.node in executed]
    features = [rows for rows in taken if not rows.is_target]
    for rows in taken:
        beside = [other for other in features if other is not rows and _is_one_size(ctx, rows.feed, other.feed)]
        if any(_belong(ctx, rows, other) for other in beside):
            continue
        for other in beside:
            doubted = rows.is_target and (other.moves or rows.moves or other.has_target)
            if (doubted or (other.moves and not rows.moves)) and rows.feed.origin.span not in apart:
                apart.add(rows.feed.origin.span)
                new = other.text.replace(".features", ".target", 1) if rows.is_target else other.text
                column = "[:, 0]" if len(rows.field.index) == 2 else ""
                fits = not rows.is_target or (other.has_target and not (column and other.field.index))
                way = f"write {rows.feed.text} = {new}{column}" if fits else "feed both from the same data"
                ctx.report(ROWS_APART, rows.feed.origin.span, value=rows.text, name=rows.feed.text, way=way,
                           other_value=other.text, other=other.feed.text)  # fmt: skip


def _rows(ctx: Analysis, feed: Feed, over: Train | Evaluate | None) -> FedRows | None:
    size = None  # of a batch
    match feed.value:
        case Field(data=data, part=part) as field if data in ctx.datasets:
            pass
        case BatchField(field="features" | "target") as field if over and over.data and over.data[0] in ctx.datasets:
            data, part = over.data
            size = over.size
        case _:
            return None
    schema = ctx.datasets[data].schema
    within = schema.part(part) if part else schema
    assert within is not None  # the analysis has made the field
    of = within.rows
    is_ordered = isinstance(over, Evaluate) or (over is not None and over.order == "ordered")
    if size is not None and is_ordered and size >= of:
        size = None  # all rows in order
    rows, moves = range(of if size is None else size), size is not None
    for item in field.index[:1]:
        if not isinstance(item, tuple):
            return None  # a single row, for a placeholder without a row axis
        rows = rows[slice(*item)]
    return FedRows(feed, field, data, part, rows, of, moves, bool(schema.targets))


def _is_one_size(ctx: Analysis, one: Feed, other: Feed) -> bool:
    """Whether the first axes of two placeholders have one size: the same name or the same number."""
    sizes = []
    for feed in (one, other):
        shape = ctx.graph.nodes[feed.ref.node].outputs[feed.ref.output].shape
        sizes.append(ctx.graph.sizes.resolve(shape[0]) if shape else None)
    return sizes[0] == sizes[1] is not None


def _belong(ctx: Analysis, rows: FedRows, features: FedRows) -> bool:
    """Whether rows belong to the features: the same rows, or all rows a fixed number later."""
    if rows.moves != features.moves or rows.part != features.part:
        return False
    if rows.data != features.data and _made_of(ctx, rows) != _made_of(ctx, features):
        return False
    first, second = features.rows, rows.rows
    # A batch can be larger than what `len` counts.
    if rows.is_target and not rows.moves and first.step == second.step == 1 and len(first) == len(second):
        is_next = first.start == 0 and second.stop == rows.of and second.start < first.stop
    else:
        is_next = False
    return first == second or is_next


def _made_of(ctx: Analysis, rows: FedRows) -> object:
    return rows_by(next(data for data in ctx.data if data.name == rows.data), rows.part), given_as(ctx, rows.data)


# --- test rows --------------------------------------------------------------------------------


def _doubt_tested(ctx: Analysis, body: tuple[Statement, ...], apart: set[Span]) -> None:
    """Warn if a session evaluates test rows that it has trained on. `apart` has feeds that already have a warning."""
    trained: dict[str, tuple[Span, str, str]] = {}  # by data: the place, the rows, and the replacement
    for one in walk(body):
        if isinstance(one, Init) and one.variables is None:
            trained.clear()
        if isinstance(one, Train):  # one iteration comes before another
            for inner in walk((one,)):
                _note_trained(ctx, trained, inner, apart)
        match one:
            case Evaluate(data=(data, "test")) if data in trained:
                span, rows, help = trained.pop(data)
                ctx.report(TEST_TRAINED, one.origin.span, help=help, data=data, line=span.line, rows=rows)
        for feed in one.uses().feeds if trained else ():
            match feed.value:
                case Field(data=data, part="test") if data in trained and changes_trained(ctx, one) is None:
                    span, rows, help = trained.pop(data)
                    ctx.report(TEST_TRAINED, feed.origin.span, help=help, data=data, line=span.line, rows=rows)
        _note_trained(ctx, trained, one, apart)


def _note_trained(
    ctx: Analysis, trained: dict[str, tuple[Span, str, str]], one: Statement, apart: set[Span]
) -> None:  # fmt: skip
    """Record the data whose test rows a statement trains on."""
    steps = [inner for inner in walk(one.body) if changes_trained(ctx, inner)] if isinstance(one, Train) else []
    if isinstance(one, Train) and one.data is not None and steps:
        data, part = one.data
        if part != "train":
            rows = "it" if part else f"all rows of {data}"
            trained.setdefault(data, (one.origin.span, rows, f"train on {data}.train"))
    for feed in one.uses().feeds:
        match feed.value:
            case Field(data=data, part="" | "test" as part, field=field, index=index) if data in ctx.datasets:
                span = feed.origin.span
                if not ctx.datasets[data].schema.parts or span in apart:
                    continue
                executed = changes_trained(ctx, one)
                if executed is None or feed.ref.node not in executed:
                    continue
                new = f"feed {data}.train.{field} on line {span.line}"
                rows = "it" if part else f"all rows of {data}"
                if index:
                    rows = "rows of it" if part else f"rows of {data} from before its split"
                    new = f"take the rows of {data}.train on line {span.line}"
                trained.setdefault(data, (span, rows, new))
