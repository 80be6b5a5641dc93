"""Finds `keep` and `stop after` that take the worse values of a measure as the better ones.

Input: the finished program. Output: warnings, each with the correct code.
"""

from collections.abc import Mapping, Sequence

from ...diagnostics import BETTER_BATCH, BETTER_WORSE, Note
from ...ops.named import CAST, REDUCE_MEAN
from ...program import (
    BatchField,
    Bind,
    Evaluate,
    Fetch,
    Graph,
    Keep,
    PlanExpr,
    Program,
    Ref,
    SessionValue,
    StopAfter,
    Train,
    parts_of,
    walk,
)
from ..calls.labels import makers
from ..context import Analysis

_WORD = {True: "higher", False: "lower"}


def warn_best_values(ctx: Analysis, program: Program) -> None:
    for session in program.sessions:
        graph, statements = program.graph(session.graph), walk(session.body)
        evaluations = [one for one in statements if isinstance(one, Evaluate)]
        for training in (one for one in statements if isinstance(one, Train)):
            better = [one for one in walk(training.body) if isinstance(one, (Keep, StopAfter))]
            doubted = [one for one in better if _doubt_measure(ctx, graph, evaluations, one)]
            _doubt_pairs(ctx, [one for one in better if one not in doubted])
            _doubt_batches(ctx, graph, training, better)


def _doubt_batches(ctx: Analysis, graph: Graph, training: Train, better: Sequence[Keep | StopAfter]) -> None:
    """Warn of a value that is computed from one batch, whose rows are others each time."""
    if not _has_other_rows(ctx, training):
        return
    bound = [one for one in walk(training.body) if isinstance(one, Bind)]
    made = {name: (one, value) for one in bound for name, value in zip(one.names, one.values, strict=False)}
    for one in better:
        if _is_of_batch(graph, made, one, one.value):
            measure = one.text if one.text.isidentifier() and isinstance(one.value, Fetch) else "..."
            help = f"write above it: seen = evaluate {measure} on ... as b with ..., and here: seen"
            ctx.warn(BETTER_BATCH, one.origin, help=help, what=one.word, text=one.text)
            return


_Statement = Keep | StopAfter | Bind


def _is_of_batch(
    graph: Graph, made: Mapping[str, tuple[Bind, PlanExpr]], statement: _Statement, value: PlanExpr
) -> bool:
    """Whether the value of an expression in a statement is made of the current batch and of nothing of earlier ones.
    `made` has the assignments to names."""
    of_batch = [feed for feed in statement.feeds if any(isinstance(one, BatchField) for one in parts_of(feed.value))]
    parts = [part for expr in (value, *(feed.value for feed in statement.feeds)) for part in parts_of(expr)]
    names = {part.name for part in parts if isinstance(part, SessionValue) and not part.index}
    if isinstance(statement, Bind) and not names.isdisjoint(statement.names):
        return False  # it goes on with its value before, like a sum or a running mean
    reached = graph.reach([part.ref for part in parts if isinstance(part, Fetch)])
    if any(feed.ref.node in reached for feed in of_batch):
        return True
    used = [made[name] for name in sorted(names) if name in made]
    return any(_is_of_batch(graph, {n: one for n, one in made.items() if n not in names}, *one) for one in used)


def _has_other_rows(ctx: Analysis, training: Train) -> bool:
    """Whether the batches at the ends of epochs have other rows each time."""
    data = ctx.datasets.get(training.data[0]) if training.data is not None else None
    if training.size is None or training.data is None or data is None or training.order == "ordered":
        return False
    part = data.schema.part(training.data[1]) if training.data[1] else data.schema
    return part is None or training.size < part.rows or training.order == "sampled"


def _doubt_pairs(ctx: Analysis, better: Sequence[Keep | StopAfter]) -> None:
    """Warn of a `stop after` whose value each `keep`, or another `stop after`, takes to be better the other way."""
    for stop in (one for one in better if isinstance(one, StopAfter)):
        alike = [one for one in better if one.text == stop.text and one is not stop]
        kept = [one for one in alike if isinstance(one, Keep)]
        above = [one for one in alike if isinstance(one, StopAfter) and one.origin.span.start < stop.origin.span.start]
        for other in (*([] if any(one.highest == stop.highest for one in kept) else kept[:1]), *above):
            if other.highest != stop.highest:
                line = other.origin.span.line
                why = f"and the '{other.word}' of line {line} a {_WORD[other.highest]} one"
                help = f"write {_written(stop, other.highest)} here, or {_written(other, stop.highest)} on line {line}"
                _report(ctx, stop, why, help)
                break


def _written(one: Keep | StopAfter, highest: bool) -> str:
    return _WORD[highest] if isinstance(one, StopAfter) else "highest" if highest else "lowest"


def _report(ctx: Analysis, one: Keep | StopAfter, why: str, help: str, *notes: Note) -> None:
    ctx.warn(BETTER_WORSE, one.origin, *notes, help=help, what=one.word, direction=_WORD[one.highest], text=one.text,
             why=why)  # fmt: skip


def _doubt_measure(ctx: Analysis, graph: Graph, evaluations: list[Evaluate], one: Keep | StopAfter) -> bool:
    """Warn of the higher loss or of the lower accuracy."""
    ref = _tensor(one.value, evaluations)
    if ref is None:
        return False
    step = next((node for node in graph.nodes.values() if node.loss == ref), None) if one.highest else None
    if step is not None:
        note = Note("the optimizer of line {line} makes it lower", step.origin.span)
        _report(ctx, one, "but it is the loss, which training makes lower", _instead(one), note)
    elif not one.highest and _is_accuracy(graph, ref):
        _report(ctx, one, "but it is a mean of comparisons by ==, as accuracies are", _instead(one))
    else:
        return False
    return True


def _instead(one: Keep | StopAfter) -> str:
    if isinstance(one, Keep):
        return f"write: keep {'lowest' if one.highest else 'highest'} {one.text} to ..."
    return f"write: stop after ... without {_WORD[not one.highest]} {one.text}"


def _tensor(value: PlanExpr, evaluations: list[Evaluate]) -> Ref | None:
    """The tensor whose value it is, or the tensor that an `evaluate` gives it the value of."""
    if isinstance(value, Fetch):
        return value.ref
    if not isinstance(value, SessionValue) or value.index:
        return None
    for one in evaluations:
        if value.name in one.names:
            at = one.names.index(value.name)
            items = [item for item in one.items if item.field == value.field] if value.field else one.items[at:]
            return items[0].tensor if items else None
    return None


def _is_accuracy(graph: Graph, ref: Ref) -> bool:
    """Whether a value is a mean of comparisons for equality."""
    for node in makers(graph.nodes, ref):
        if node.row is REDUCE_MEAN:
            return _is_accuracy(graph, node.ref("input_tensor"))
        if node.row is CAST:
            return _is_accuracy(graph, next(iter(node.inputs())))
        if node.row is not None and node.row.operator == "==":
            return True
    return False
