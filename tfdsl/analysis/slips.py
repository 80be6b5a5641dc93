"""Slips in the graph half: what TensorFlow runs without a word, and what is hardly ever meant.

Input: a call of an op that its shape rule doubts (`Call.warn`). Output: warnings, each with the way to write what was
meant, and the way to write what stands there so that nobody doubts it.
"""

from collections.abc import Mapping, Sequence

from ..diagnostics import AFTER_ALIAS, KEEP_PROB, PAIRED, RATE, SWAPPED, SWAPPED_SURELY, TAG_AGAIN, THROUGH_TWICE, Note
from ..ops import OPS
from ..ops.op import Op, Refused
from ..program import Enter, Exit, Fetch, Item, Ref, Value
from ..source import Span
from ..syntax import tree as t
from ..types import Shape, Size, shape_text
from .arguments import Bound, Given, operand_notes
from .context import Analysis
from .names import Env
from .values import Tensor, is_host


def doubted(ctx: Analysis, op: Op, doubt: Refused, bound: Bound, shown: str, span: Span) -> None:
    """Warn of a call, unless the program makes clear that it is meant."""
    given = [bound.given[name] for name in doubt.params if name in bound.given]
    details = {"op": shown, **doubt.details}
    if doubt.message is PAIRED:
        tall, short = given
        axes, shapes = doubt.details["axes"], doubt.details["shapes"]
        if not _pairs_by_chance(ctx, op.compares, tall.value, axes, shapes):
            return
        details |= _ways(ctx, tall.span, short.span, axes, shapes)
    if doubt.message is KEEP_PROB:
        ctx.report(KEEP_PROB, given[0].span, value=given[0].text)
        return
    ctx.report(doubt.message, span, operand_notes(given), **details)


# --- every row with every row -----------------------------------------------------------------


def compared(ctx: Analysis, op: str, span: Span, sides: Sequence[tuple[object, Span, Shape]]) -> None:
    """Doubt a comparison of two values of a session, each given with its place and shape."""
    for tall, short in (sides, reversed(sides)):
        shapes = tall[2], short[2]
        axes = ctx.graph.sizes.paired(*shapes)
        if axes is not None and _pairs_by_chance(ctx, True, tall[0], axes, shapes):
            a, b = map(shape_text, shapes)
            ctx.report(PAIRED, span, op=f"'{op}'", a=a, b=b, **_ways(ctx, tall[1], short[1], axes, shapes))


def _pairs_by_chance(
    ctx: Analysis, compares: bool, tall: object, axes: tuple[int, int], shapes: tuple[Shape, Shape]
) -> bool:
    """Whether pairs of all rows are most likely a slip.

    Two axes of one named size are. Two unknown sizes, and two equal numbers, may be of one size by chance: then the
    program says that it means pairs where it has added the axis of 1 itself, and numbers count only where things are
    compared.
    """
    sizes = shapes[0][axes[0]], shapes[1][axes[1]]
    if None not in sizes and any(isinstance(size, Size) for size in sizes):
        return True
    if None not in sizes and (not compares or isinstance(tall, Value) or is_host(tall)):
        return False
    return not (isinstance(tall, (Tensor, Fetch)) and _is_made_longer(ctx, tall.ref, shapes[0]))


def _is_made_longer(ctx: Analysis, ref: Ref, shape: Shape) -> bool:
    """Whether a tensor has an axis of 1 that another tensor has been given, as in `x[:, none]`."""
    nodes, sizes = ctx.graph.nodes, ctx.graph.sizes
    wanted = tuple(map(sizes.resolve, shape))
    without = [wanted[:at] + wanted[at + 1 :] for at, size in enumerate(wanted) if size == 1]
    seen, todo = set(), [ref]
    while todo:
        node = nodes[todo.pop().node]
        if node.id in seen or node.is_variable:
            continue
        seen.add(node.id)
        ctx.spend(2, node.origin.span)
        for one in node.inputs():
            outputs = nodes[one.node].outputs
            found = outputs[one.output].shape if outputs else None
            found = None if found is None else tuple(map(sizes.resolve, found))
            if found in without:
                return True
            if found == wanted:
                todo.append(one)
    return False


def _ways(
    ctx: Analysis, tall: Span, short: Span, axes: tuple[int, int], shapes: tuple[Shape, Shape]
) -> dict[str, object]:
    """How to write row with row, and how to write every pair: both give the two sides the same number of axes."""
    gap, (at, other) = len(shapes[0]) - len(shapes[1]), axes
    names = [" ".join(span.text.split()) for span in (tall, short)]
    names = [name if len(name) <= 40 else side for name, side in zip(names, ("the first", "the second"), strict=True)]
    one = every = names[1] if names[1] != "the second" else "x"
    for _ in range(gap + other - at):
        one = f"expand_dims({one}, {other + 1})"
    for _ in range(gap):
        every = f"expand_dims({every}, 0)"
    padded = (1,) * gap + tuple(shapes[1])
    shape = shape_text(tuple(map(ctx.graph.sizes.broadcast, shapes[0], padded)))
    return {"tall": names[0], "short": names[1], "one": one, "every": every, "shape": shape}


# --- labels and logits ------------------------------------------------------------------------


def doubt_logits(ctx: Analysis, op: Op, bound: Bound, span: Span) -> None:
    """Warn of logits that have been through the activation already, and of labels in their place."""
    logits = bound.given.get("logits")
    if logits is None:
        return
    first = activation(ctx, logits.value)
    if first:
        ctx.report(THROUGH_TWICE, logits.span, operand_notes([logits]), op=op.name, applies=op.applies,
                   logits=logits.text, first=first)  # fmt: skip
    if is_swapped(ctx, bound.given):
        doubt_swapped(ctx, op.name, bound.given, span)


def is_swapped(ctx: Analysis, arguments: Mapping[str | None, Given]) -> bool:
    """Whether labels are made of variables, and logits are not."""
    labels, logits = arguments.get("labels"), arguments.get("logits")
    if labels is None or logits is None or not isinstance(logits.value, Tensor):
        return False
    return _learns(ctx, labels) and not _learns(ctx, logits)


def refuse_swapped(ctx: Analysis, function: str, arguments: Mapping[str | None, Given], span: Span) -> None:
    """Refuse labels and logits in the wrong order, where the logits cannot be logits."""
    labels, logits = arguments["labels"], arguments["logits"]
    notes = operand_notes([labels, logits])
    call = f"labels={logits.text}, logits={labels.text}"
    ctx.fail(SWAPPED_SURELY, span, notes, function=function, call=call)


def is_never_logits(given: Given) -> bool:
    value = given.value
    return isinstance(value, Tensor) and value.type is not None and value.type.dtype.kind != "float"


def doubt_swapped(ctx: Analysis, function: str, arguments: Mapping[str | None, Given], span: Span) -> None:
    labels, logits = arguments["labels"], arguments["logits"]
    call = f"labels={logits.text}, logits={labels.text}"
    ctx.report(SWAPPED, span, operand_notes([labels, logits]), op=function, call=call)


def doubt_rate(ctx: Analysis, rate: Given | None, by_position: bool) -> None:
    """Warn of a share to keep in the place of the share that a dropout drops."""
    if rate is None:
        return
    value, text = rate.value, rate.text
    if text.rpartition(".")[2].startswith("keep"):
        help = f"write rate=1 - {text}; or give it another name if it is the share to drop"
    elif by_position and isinstance(value, (int, float)) and 0.5 < value < 1:
        help = f"write rate={round(1 - value, 6):g} to keep the share {value}, or rate={value} if dropping it is meant"
    else:
        return
    ctx.report(RATE, rate.span, help=help, value=text)


def activation(ctx: Analysis, value: object) -> str:
    """The op that has made shares of logits, which may have been arranged otherwise since; "" where none has."""
    nodes = ctx.graph.nodes
    ref = value.ref if isinstance(value, Tensor) else None
    while ref is not None:
        node = nodes[ref.node]
        row = OPS.get(node.op)
        if row is not None and row.applies == node.op:
            return node.op
        inputs = list(node.inputs()) if node.op == "index" or (row is not None and row.arranges) else []
        ref = inputs[0] if inputs else None
    return ""


def _learns(ctx: Analysis, given: Given) -> bool:
    """Whether a value is made of a variable."""
    if not isinstance(given.value, Tensor):
        return False
    reached = ctx.graph.reach([given.value.ref])
    ctx.spend(len(reached), given.span)
    return any(ctx.graph.nodes[id].is_variable for id in reached)


# --- after, and tags ----------------------------------------------------------------------------


def doubt_aliases(ctx: Analysis, env: Env, statement: t.After, first: int) -> None:
    """Warn of what an `after` does not order, because it was made before: the nodes of the block begin at `first`."""
    for one in statement.body:
        match one:
            case t.Assign(targets=(target,), value=t.Name() | t.Attribute() as value):
                binding = env.enclosing(target.id)
                _doubt_alias(ctx, binding and binding.value, f"'{target.id}'", value, first)
            case t.Return(values=values):
                for value in values:
                    if isinstance(value, t.Name):
                        binding = env.find(value.id)
                        _doubt_alias(ctx, binding and binding.value, "what is returned", value, first)


def _doubt_alias(ctx: Analysis, value: object, name: str, expr: t.Expr, first: int) -> None:
    if isinstance(value, Tensor) and value.ref.node < first and value.type is not None:
        ctx.report(AFTER_ALIAS, expr.span, operand_notes([Given(value, expr.span)]), name=name, value=expr.span.text)


def doubt_tag(ctx: Analysis, tag: str, span: Span) -> None:
    """Warn of a second summary of a tag in one scope; `span` is that of the second."""
    scopes = open_scopes(ctx.graph.items)
    for ref in ctx.graph.summaries.get(tag, ()):
        other = ctx.graph.nodes[ref.node]
        at = ctx.graph.items.index(other)
        if open_scopes(ctx.graph.items[:at]) == scopes:
            ctx.report(TAG_AGAIN, span, (Note("the first is on line {line}", other.origin.span),), tag=tag)
            return


def open_scopes(items: Sequence[Item]) -> list[int]:
    """The scopes that are open behind some items, by where they begin."""
    found: list[int] = []
    for at, item in enumerate(items):
        match item:
            case Enter():
                found.append(at if item.kind == "scope" else -1)
            case Exit():
                found.pop()
    return [at for at in found if at >= 0]
