"""Finds mistakes in the graph half that TensorFlow runs silently and that are hardly ever intended.

Input: a call of an op that its shape rule doubts (`Call.warn`). Output: warnings, each with the correct code, and
with a way to write the same code without a warning.
"""

from collections.abc import Iterator, Sequence
from typing import Any, assert_never, cast

from ...diagnostics import AFTER_ALIAS, EMPTIED, KEEP_PROB, LIST_ADDED, ONE_CLASS, PAIRED, RATE, TAG_AGAIN, Note
from ...ops.op import Op, RuleRefused
from ...program import Enter, Exit, Fetch, Item, Node, Ref, Value, upstream
from ...source import Span
from ...syntax import tree as t
from ...types import Dim, Shape, Size, shape_text
from ..context import Analysis
from ..values import Env, ExprValue, Tensor, is_host
from .arguments import ArgumentValue, BoundArguments, operand_notes

_Shapes = tuple[tuple[Dim, ...], tuple[Dim, ...]]


def doubted(ctx: Analysis, op: Op, doubt: RuleRefused, bound: BoundArguments, shown: str, span: Span) -> None:
    """Warn of a call unless the program makes clear that it is intended."""
    given = [bound.given[name] for name in doubt.params if name in bound.given]
    text = given[0].text if given else ""
    details = {"op": shown, "x": "x" if text.endswith("...") else text, **doubt.details}
    if doubt.message is PAIRED:
        tall, short = given
        # Found by `Sizes.paired`, which only finds axes of known shapes.
        axes = cast(tuple[int, int], doubt.details["axes"])
        shapes = cast(_Shapes, doubt.details["shapes"])
        if not _pairs_by_chance(ctx, op.compares, tall.value, axes, shapes):
            return
        details |= _ways(ctx, tall.span, short.span, axes, shapes)
    if doubt.message is EMPTIED:
        if ctx.bag.has(LIST_ADDED.code, span):  # the same mistake
            return
        details |= {"first": text, "second": given[1].text}
    if doubt.message is KEEP_PROB:
        if not _is_kept(given[0]):
            ctx.report(KEEP_PROB, given[0].span, value=given[0].text)
        return
    if doubt.message is ONE_CLASS and isinstance(value := given[0].value, Tensor):
        # A loss, a measure and a softmax of the same logits have one cause.
        logits = {value.ref, *ctx.graph.nodes[value.ref.node].inputs()}
        if any((ONE_CLASS, ref) in ctx.graph.told for ref in logits):
            return
        ctx.graph.told.add((ONE_CLASS, value.ref))
    ctx.report(doubt.message, span, operand_notes(given), **details)


# --- every row with every row -----------------------------------------------------------------


def compared(ctx: Analysis, op: str, span: Span, sides: Sequence[tuple[object, Span, Shape]]) -> None:
    """Warn of a doubtful comparison of two session values, each given with its place and shape."""
    for tall, short in (sides, reversed(sides)):
        if tall[2] is None or short[2] is None:
            return
        shapes = tall[2], short[2]
        axes = ctx.graph.sizes.paired(*shapes)
        if axes is not None and _pairs_by_chance(ctx, True, tall[0], axes, shapes):
            a, b = map(shape_text, shapes)
            ways: dict[str, Any] = _ways(ctx, tall[1], short[1], axes, shapes)  # has no `notes` or `help`
            ctx.report(PAIRED, span, op=f"'{op}'", a=a, b=b, **ways)


def _pairs_by_chance(ctx: Analysis, compares: bool, tall: object, axes: tuple[int, int], shapes: _Shapes) -> bool:
    """Whether pairs of all rows are most likely a mistake.

    Two axes with one named size are a mistake. Two unknown sizes or two equal numbers can agree by chance. Then the
    program shows that it wants pairs if it added the axis of size 1 itself, and numbers count only in comparisons.
    """
    sizes = shapes[0][axes[0]], shapes[1][axes[1]]
    if None not in sizes and any(isinstance(size, Size) for size in sizes):
        return True
    if None not in sizes and (not compares or isinstance(tall, Value) or is_host(tall)):
        return False
    return not (isinstance(tall, (Tensor, Fetch)) and _is_made_longer(ctx, tall.ref, shapes[0]))


def _is_made_longer(ctx: Analysis, ref: Ref, shape: tuple[Dim, ...]) -> bool:
    """Whether a tensor has an axis of size 1 that was added to another tensor, as in `x[:, none]`."""
    nodes, sizes = ctx.graph.nodes, ctx.graph.sizes
    wanted = tuple(map(sizes.resolve, shape))
    without = [wanted[:at] + wanted[at + 1 :] for at, size in enumerate(wanted) if size == 1]

    def shapes(node: Node) -> Iterator[tuple[Ref, Shape]]:
        """The inputs of a node that is no variable, with their sizes."""
        for one in () if node.is_variable else node.inputs():
            outputs = nodes[one.node].outputs
            found = outputs[one.output].shape if outputs else None
            yield one, None if found is None else tuple(map(sizes.resolve, found))

    for node in upstream(nodes, [ref], lambda node: [one for one, shape in shapes(node) if shape == wanted]):
        ctx.spend(2, node.origin.span)
        if any(shape in without for _, shape in shapes(node)):
            return True
    return False


def _ways(ctx: Analysis, tall: Span, short: Span, axes: tuple[int, int], shapes: _Shapes) -> dict[str, str]:
    """How to write row by row, and how to write every pair. Both give the two sides the same number of axes."""
    gap, (at, other) = len(shapes[0]) - len(shapes[1]), axes
    names = [span.one_line for span in (tall, short)]
    names = [name if len(name) <= 40 else side for name, side in zip(names, ("the first", "the second"), strict=True)]
    one = every = names[1] if names[1] != "the second" else "x"
    for _ in range(gap + other - at):
        one = f"expand_dims({one}, {other + 1})"
    for _ in range(gap):
        every = f"expand_dims({every}, 0)"
    padded = (1,) * gap + tuple(shapes[1])
    shape = shape_text(tuple(map(ctx.graph.sizes.broadcast, shapes[0], padded)))
    return {"tall": names[0], "short": names[1], "one": one, "every": every, "shape": shape}


# --- dropout ------------------------------------------------------------------------------------


def doubt_rate(ctx: Analysis, rate: ArgumentValue | None, by_position: bool) -> None:
    """Warn of a keep probability in the place of a dropout rate."""
    if rate is None:
        return
    value, text = rate.value, rate.text
    if _is_kept(rate):
        help = f"write rate=1 - {text}; or give it another name if it is the fraction to drop"
    elif by_position and isinstance(value, (int, float)) and 0.5 < value < 1:
        help = f"write rate={round(1 - value, 6):g} to keep the fraction {value}, or rate={value} to drop it"
    else:
        return
    ctx.report(RATE, rate.span, help=help, value=text)


def share_help(param: str, value: object) -> str:
    """The correction for a number that cannot be a dropout rate or keep probability."""
    does = "drops" if param == "rate" else "keeps"
    if isinstance(value, (int, float)) and 2 <= value < 100:
        return f"it is the fraction that it {does}: {param}={value / 100:g} {does} {value:g} percent"
    return f"it is the fraction that it {does}: {param}=0.5 {does} half of the elements"


def _is_kept(share: ArgumentValue) -> bool:
    """Whether the program names the value like a keep probability."""
    return share.text.rpartition(".")[2].startswith("keep")


# --- after, and tags ----------------------------------------------------------------------------


def doubt_aliases(ctx: Analysis, env: Env, statement: t.After, first: int) -> None:
    """Warn of nodes that an `after` does not order because they were made before it. The nodes of the block begin at
    `first`."""
    for one in statement.body:
        match one:
            case t.Assign(targets=(target,), value=t.Name() | t.Attribute() as value):
                binding = env.reached(target.id)
                _doubt_alias(ctx, binding and binding.value, f"'{target.id}'", value, first)
            case t.Return(values=values):
                for value in values:
                    if isinstance(value, t.Name):
                        binding = env.single(value.id)
                        _doubt_alias(ctx, binding and binding.value, "the returned value", value, first)


def _doubt_alias(ctx: Analysis, value: ExprValue, name: str, expr: t.Expr, first: int) -> None:
    if isinstance(value, Tensor) and value.ref.node < first:
        ctx.report(
            AFTER_ALIAS, expr.span, operand_notes([ArgumentValue(value, expr.span)]), name=name, value=expr.span.text
        )


def doubt_tag(ctx: Analysis, tag: str, span: Span) -> None:
    """Warn of the second summary with the same tag in a scope. `span` is its place."""
    others = ctx.graph.summaries.get(tag, ())
    scopes = open_scopes(ctx.graph.items) if others else []
    for ref in others:
        other = ctx.graph.nodes[ref.node]
        at = ctx.graph.items.index(other)
        if open_scopes(ctx.graph.items[:at]) == scopes:
            ctx.report(TAG_AGAIN, span, (Note("the first is on line {line}", other.origin.span),), tag=tag)
            return


def open_scopes(items: Sequence[Item]) -> list[int]:
    """The scopes that are open after some items, by the index where they begin."""
    found: list[int] = []
    for at, item in enumerate(items):
        match item:
            case Enter():
                found.append(at if item.kind == "scope" else -1)
            case Exit():
                found.pop()
            case Node():
                pass
            case _:
                assert_never(item)
    return [at for at in found if at >= 0]
