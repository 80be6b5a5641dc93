"""Binds names to values, one or several at once."""

from collections.abc import Callable

from ...diagnostics import REBOUND, TRAINING_LATE, UNPACK, VARIABLE_REBOUND, Note
from ...diagnostics.spelling import counted
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis, StatementFailed
from ..names import Assumed, BoundTwice, uses
from ..values import NODES, Env, ExprValue, Function, Tensor, describe


def bind(ctx: Analysis, env: Env, target: t.Identifier, value: ExprValue, expr: t.Expr | None = None) -> None:
    """Bind a name. An error shows both places. `expr` is the expression that makes the value, if one does."""
    if ctx.observer is not None:
        ctx.observer.value(target, value)
    try:
        env.bind(target.id, value, target.span, again=_binds_again(ctx, env, target, expr))
    except BoundTwice as error:
        if target.id in ctx.in_doubtful_blocks:  # the name may belong to a scope
            raise StatementFailed(None) from None
        note = Note(f"'{target.id}' was bound on line {{line}}", error.binding.span)
        help = _changed(target.id, error.binding.value, expr) or _chosen(ctx, target, error.binding.span, expr)
        ctx.fail(REBOUND, target.span, (note,), help, name=target.id)
    except Assumed as error:
        note = Note(f"line {{line}} uses the '{target.id}' that every graph has", error.span)
        ctx.fail(TRAINING_LATE, target.span, (note,), name=target.id)
    tensors = value if isinstance(value, (list, tuple)) else [value]
    refs = tuple([v.ref for v in tensors if isinstance(v, NODES) and v.graph == ctx.graph.name])
    if refs:
        ctx.graph.bound.append((target.id, target.span, refs))


def _binds_again(ctx: Analysis, env: Env, target: t.Identifier, expr: t.Expr | None) -> bool:
    """Whether an expression uses the name that it is bound to. If that is a variable, an increment is doubted. `_`
    takes values that nobody needs, one after the other."""
    if target.id == "_":
        return True
    known = env.reached(target.id)
    if known is None or expr is None or not uses(expr, target.id):
        return False
    if isinstance(known.value, Tensor) and known.value.is_variable:
        match expr:
            case t.Binary(op="+" | "-" as op, left=t.Name(id=left), right=right) if left == target.id:
                call = f"{'assign_add' if op == '+' else 'assign_sub'}({left}, {right.span.one_line})"
                ctx.warn(VARIABLE_REBOUND, ctx.origin(target.span), name=left, call=call)
    return True


def _changed(name: str, bound: ExprValue, expr: t.Expr | None) -> str:
    """How to change a variable, for an expression that is bound to its name again."""
    if expr is None or not isinstance(bound, Tensor) or not bound.is_variable:
        return ""
    call = f"assign({name}, {expr.span.one_line})"
    return f"a name is bound once; to change the variable, write: new_{name} = {call}, and run it in a session"


def _chosen(ctx: Analysis, target: t.Identifier, bound: Span, expr: t.Expr | None) -> str:
    """What to write for an `if` of one branch that binds an earlier name again."""
    alone = [one.branches[0] for one in ctx.tree if isinstance(one, t.If) and len(one.branches) == 1]
    tests = [test for test, body in alone if any(line.span.holds(target.span) for line in body)]
    before = [
        one.value for one in ctx.tree
        if isinstance(one, t.Assign) and len(one.targets) == 1 and one.targets[0].span == bound
    ]  # fmt: skip
    if expr is None or not tests or not before or tests[0] is None:
        return ""
    then, test, otherwise = (one.span.one_line for one in (expr, tests[0], before[0]))
    return f"write in place of line {bound.line} and of this 'if': {target.id} = {then} if {test} else {otherwise}"


def bind_targets(ctx: Analysis, env: Env, targets: tuple[t.Identifier, ...], value: ExprValue, span: Span) -> None:
    """Bind the targets of a `for` to one item."""
    if len(targets) == 1:
        bind(ctx, env, targets[0], value)
        return
    for target, item in zip(targets, unpacked(ctx, targets, value, span), strict=True):
        bind(ctx, env, target, item)


def unpacked(
    ctx: Analysis, targets: tuple[t.Identifier, ...], value: ExprValue, span: Span,
    called: Callable[[], ExprValue] | None = None,
) -> list | tuple | range:  # fmt: skip
    """The values of several names. `called` finds the function that returned them, if one did."""
    is_many = isinstance(value, (list, tuple, range))
    if is_many and len(value) == len(targets):
        return value
    count = describe(value) if not is_many else counted(len(value), "value")
    notes, help, names = (), "", [target.id for target in targets]
    if is_many:
        extra = len(value) - len(names)
        wanted = [*names, *["_"] * extra] if 0 < extra < 5 else names[: len(value)] if extra < 0 else []
        help = f"write a name for each value: {', '.join(wanted)} = ..." if wanted else ""
    elif isinstance(value, Tensor):
        help = "unstack(x) gives the rows of a tensor"
    function = called() if called else None
    if isinstance(function, Function):
        name = function.tree.target.id
        made = next((one for one in reversed(function.tree.body) if isinstance(one, t.Return)), None)
        if made is not None:
            notes = (Note(f"{name} returns it on line {{line}}", made.span),)
        help = f"let {name} return a value for each name, or write: {names[0]} = ..." if not is_many else help
    ctx.fail(UNPACK, span, notes, help, names=len(targets), count=count)
