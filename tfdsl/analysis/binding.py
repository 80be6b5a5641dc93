"""Binds names to values, one or several at once."""

from ..diagnostics import REBOUND, TRAINING_LATE, UNPACK, Note
from ..source import Span
from ..syntax import tree as t
from .context import Analysis
from .names import Assumed, BoundTwice
from .values import Env, ExprValue, NodeValue, Tensor, describe


def bind(ctx: Analysis, env: Env, target: t.Identifier, value: ExprValue) -> None:
    """Bind a name. An error shows both places."""
    try:
        env.bind(target.id, value, target.span)
    except BoundTwice as error:
        note = Note(f"'{target.id}' was bound on line {{line}}", error.binding.span)
        ctx.fail(REBOUND, target.span, (note,), name=target.id)
    except Assumed as error:
        note = Note(f"line {{line}} uses the '{target.id}' that every graph has", error.span)
        ctx.fail(TRAINING_LATE, target.span, (note,), name=target.id)
    tensors = value if isinstance(value, (list, tuple)) else [value]
    refs = tuple(v.ref for v in tensors if isinstance(v, NodeValue) and v.graph == ctx.graph.name)
    if refs:
        ctx.graph.bound.append((target.id, target.span, refs))


def bind_targets(ctx: Analysis, env: Env, targets: tuple[t.Identifier, ...], value: ExprValue, span: Span) -> None:
    """Bind the targets of a `for` to one item."""
    if len(targets) == 1:
        bind(ctx, env, targets[0], value)
        return
    for target, item in zip(targets, unpacked(ctx, targets, value, span), strict=True):
        bind(ctx, env, target, item)


def unpacked(ctx: Analysis, targets: tuple[t.Identifier, ...], value: ExprValue, span: Span) -> list | tuple | range:
    if not isinstance(value, (list, tuple, range)):
        help = "unstack(x) gives the rows of a tensor" if isinstance(value, Tensor) else ""
        ctx.fail(UNPACK, span, help=help, names=len(targets), count=describe(value))
    if len(value) != len(targets):
        count = f"{len(value)} value{'' if len(value) == 1 else 's'}"
        ctx.fail(UNPACK, span, names=len(targets), count=count)
    return value
