"""Regions: graph code inside a node, and the types of the values that its iterations pass on."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...diagnostics import BLOCKS_DEEP
from ...program import Item
from ...source import Span
from ...types import Dim, Size, TensorType
from ..context import Analysis
from ..values import Env


@contextmanager
def region(ctx: Analysis, env: Env, span: Span) -> Iterator[list[Item]]:
    """Analyse a region: its nodes go into a separate list, and its names are removed afterwards."""
    if ctx.graph.regions >= ctx.limits.blocks:
        help = "call fewer functions with such blocks from inside others, or raise the limit with --max-depth"
        ctx.fail(BLOCKS_DEEP, span, help=help, limit=ctx.limits.blocks)
    names = env.snapshot()
    try:
        with ctx.graph.region() as items:
            yield items
    finally:
        env.restore(names)


def type_in_all(ctx: Analysis, before: TensorType, after: TensorType) -> TensorType | None:
    """The type in all iterations of a value that has these types before and after one: the first, with the named sizes
    that changed left open. None if the dtype or another size changed. Where only TensorFlow knows a size after the
    iteration, and may not be asked, it counts as unchanged."""
    if before.dtype != after.dtype:
        return None
    if before.shape is None or (ctx.graph.is_vague and after.shape is None):
        return before
    if after.shape is None or len(after.shape) != len(before.shape):
        return None
    pairs = list(zip(before.shape, after.shape, strict=True))
    if any(_differ(ctx, own, other, int) for own, other in pairs):
        return None
    if any(_differ(ctx, own, other, Size) for own, other in pairs):
        return TensorType(before.dtype, tuple(None if _differ(ctx, *pair, Size) else pair[0] for pair in pairs))
    return before


def _differ(ctx: Analysis, before: Dim, after: Dim, kind: type) -> bool:
    """Whether a size of a kind changes in an iteration."""
    before, after = map(ctx.graph.sizes.resolve, (before, after))
    return before != after and isinstance(before, kind) and not (ctx.graph.is_vague and after is None)
