"""Control flow in the graph: `while`, and `if` on a tensor.

Each becomes one node with regions (`program.Region`). The names it binds are the node's outputs. The variables of
a loop are the earlier names that its body rebinds; other names that the body binds are local to it. Both branches
of an `if` bind the same names. A region cannot create things that live as long as the graph: placeholders,
variables, optimizers, summaries.
"""

import re
from collections.abc import Callable, Iterable
from typing import Literal

from ...diagnostics import (
    BRANCH_NAMES,
    BRANCH_RETURN,
    BRANCH_TYPE,
    CONDITION_TENSOR,
    CONDITION_TYPE,
    CONTROL_NOTHING,
    LOOP_CONDITION,
    LOOP_RETURN,
    LOOP_TYPE,
    LOOP_VALUE,
    Note,
)
from ...program import COND, WHILE, Arg, Item, Node, Ref, Region
from ...record import Record
from ...source import Span
from ...syntax import tree as t
from ...types import BOOL, Shape, TensorType
from ..calls.arguments import ArgumentValue, default_dtype, operand_notes, scalar_class, tensor_dtype, to_arg, typed
from ..calls.regions import region, type_in_all
from ..calls.wrong_kind import no_condition
from ..context import Analysis, StatementFailed
from ..dispatch import Returned
from ..expressions.expressions import condition
from ..names import Binding, declared, rebinding
from ..values import Array, Env, ErrorValue, ExprValue, Tensor, describe, has_tensor, is_host


class RegionBinding(Record):
    """A name bound in a region, with its value, place and scope."""

    value: ExprValue
    span: Span
    path: tuple[str, ...]


def _test(ctx: Analysis, value: ExprValue, expr: t.Expr, word: str) -> Ref:
    """The tensor of a condition: a scalar bool."""
    if not isinstance(value, Tensor) or value.type.dtype != BOOL or value.type.rank not in (0, None):
        given = ArgumentValue(value, expr.span)
        ctx.fail(CONDITION_TYPE, expr.span, operand_notes([given]), _as_condition(value, expr, given.text), word=word,
                 value=describe(value))  # fmt: skip
    return value.ref


def _as_condition(value: object, expr: t.Expr, text: str) -> str:
    """What to write for a value that is not one bool."""
    if not isinstance(value, Tensor):
        return ""
    if value.type.dtype != BOOL:
        test = f"({text})" if isinstance(expr, t.Conditional) else text
        text = f'{test} == "..."' if value.type.dtype.kind == "string" else f"{test} > 0"
        if value.type.rank in (0, None):
            return f"compare it: {text}"
    return f"write reduce_all({text}) for all of its elements, or reduce_any({text}) for any"


# --- while ------------------------------------------------------------------------------------


def while_loop(ctx: Analysis, env: Env, statement: t.While) -> None:
    """Analyse a `while`: one node whose inputs and outputs are the values of the loop variables."""
    carried = _carried(env, statement)
    if any(isinstance(binding.value, ErrorValue) for binding in carried.values()):
        raise StatementFailed(None)
    if not carried and ctx.is_partial:
        raise StatementFailed(None)
    if not carried:
        help = "rebind an earlier name in its body, such as: i = i + 1"
        ctx.fail(CONTROL_NOTHING, statement.condition.span, help=help, word="while",
                 what="its body rebinds no earlier name")  # fmt: skip
    initial, types = {}, {}
    for name, binding in carried.items():
        initial[name], types[name] = _initial(ctx, name, binding)
    env.begin_loop()
    try:
        made = None
        while made is None:
            made = _turn(ctx, env, statement, types)
        regions, turned = made
        outputs = tuple(types.values())
        node = ctx.graph.add(WHILE, initial, None, outputs, ctx.origin(statement.span), regions=regions)
        for at, (name, binding) in enumerate(_carried(env, statement).items()):
            _rebind(ctx, env, name, binding, Tensor(Ref(node, at), types[name], ctx.graph.name, turned[name].span))
    finally:
        env.end_loop()


def _turn(
    ctx: Analysis, env: Env, statement: t.While, types: dict[str, TensorType]
) -> tuple[tuple[Region, Region], dict[str, Binding]] | None:
    """The regions of an iteration, and the final values of the loop variables. None if a named size changes in the
    iteration: the loop is then analysed again, with a type in `types` that leaves this size open."""
    diagnostics = ctx.bag.marked()
    with ctx.graph.trial() as trial:
        with region(ctx, env, statement.span) as items:
            params = _begin_turn(ctx, _carried(env, statement), types)
            value = condition(ctx, env, statement.condition)
            if isinstance(value, bool):
                help = _unchanged(ctx, env, statement)
                ctx.fail(LOOP_CONDITION, statement.condition.span, help=help, value=describe(value))
            test = Region(params, tuple(items), (_test(ctx, value, statement.condition, "while"),))
        with region(ctx, env, statement.span) as items:
            params = _begin_turn(ctx, _carried(env, statement), types)
            env.next_turn()
            failed = ctx.failed
            if ctx.block(env, statement.body) is not None:
                ctx.fail(LOOP_RETURN, statement.span)
            if ctx.failed > failed:
                raise StatementFailed(None)
            turned = {name: binding for name, binding in _carried(env, statement).items() if name in types}
            after = {name: _turned(ctx, name, binding, types[name]) for name, binding in turned.items()}
            body = Region(params, tuple(items), tuple(arg for arg, _ in after.values()))
        opened = {name: type for name, (_, type) in after.items() if type != types[name]}
        trial.keep = not opened
    if not opened:
        return (test, body), turned
    types |= opened
    ctx.bag.back_to(diagnostics)
    return None


def _unchanged(ctx: Analysis, env: Env, statement: t.While) -> str:
    """A help line for a condition on numbers that the body does not change."""
    params = {param.name for param in ctx.params}
    for name in re.findall(r"(?<![\w.\"])[^\W\d]\w*", statement.condition.span.text):
        binding = env.reached(name)
        value = binding.value if binding is not None else None
        if name not in params and isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"the body does not change {name}: add such a line to it: {name} = {name} + {type(value)(1)}"
    return ""


def _carried(env: Env, statement: t.While) -> dict[str, Binding]:
    """The loop variables, in the order of their first binding."""
    targets = dict.fromkeys(
        target.id for target, owner in declared(statement.body) if not isinstance(owner, (t.Def, t.Graph))
    )
    again = set(rebinding(statement.body))
    found = {
        name: binding for name in targets
        if (binding := env.reached(name) if name in again else env.overlapping(name)) is not None
    }  # fmt: skip
    return dict(sorted(found.items(), key=lambda item: item[1].first))


def _initial(ctx: Analysis, name: str, binding: Binding) -> tuple[Arg, TensorType]:
    """The initial value of a loop variable."""
    value = binding.value
    if not (isinstance(value, (Tensor, Array)) or has_tensor(value) or is_host(value)) or value is None:
        ctx.fail(LOOP_VALUE, binding.span, name=name, value=describe(value))
    return typed(ctx, ArgumentValue(value, binding.span))


def _begin_turn(ctx: Analysis, carried: dict[str, Binding], types: dict[str, TensorType]) -> tuple[Node, ...]:
    """Bind the loop variables to their values at the start of an iteration."""
    params = []
    for name, binding in carried.items():
        node = ctx.graph.carry(name, types[name], ctx.origin(binding.span))
        if isinstance(binding.value, list) or _was_list(ctx, binding.value):
            ctx.graph.lists.add(node.id)
        binding.value = Tensor(Ref(node.id), types[name], ctx.graph.name, binding.span)
        params.append(node)
    return tuple(params)


def _was_list(ctx: Analysis, value: object) -> bool:
    return isinstance(value, Tensor) and value.ref.node in ctx.graph.lists


def _turned(ctx: Analysis, name: str, binding: Binding, type: TensorType) -> tuple[Arg, TensorType]:
    """The value of a loop variable after an iteration, and its type for all iterations: the initial type, with the
    named sizes that changed left open."""
    arg, after = to_arg(ctx, ArgumentValue(binding.value, binding.span), type.dtype)
    both = type_in_all(ctx, type, after)
    if both is None:
        ctx.fail(LOOP_TYPE, binding.span, name=name, first=type, second=after)
    return arg, both


def _rebind(
    ctx: Analysis, env: Env, name: str, binding: Binding, value: Tensor, path: tuple[str, ...] | None = None
) -> None:
    """Rebind an earlier name to the output of a loop or an `if`, which binds it in the scope `path`."""
    env.change(name, binding, value, value.span, path)
    ctx.graph.bound.append((name, value.span, (value.ref,)))


# --- if on a tensor ---------------------------------------------------------------------------


class _Branch(Record):
    """An analysed branch: its nodes, the names it binds, and its return value."""

    items: tuple[Item, ...]
    names: dict[str, RegionBinding]
    returned: Returned | None
    span: Span


def choose(ctx: Analysis, env: Env, statement: t.If, start: int = 0) -> Returned | None:
    """Analyse the branches of an `if` from `start` on: the branch chosen at compile time, or all of them if a tensor
    chooses."""
    for at, (test, body) in enumerate(statement.branches[start:], start):
        if test is None:
            return ctx.block(env, body)
        value = condition(ctx, env, test)
        if isinstance(value, Tensor):
            return cond(ctx, env, statement, at, value, test)
        if not isinstance(value, bool):
            ctx.fail(CONDITION_TENSOR, test.span, help=no_condition(ctx, value, test.span), value=describe(value))
        if value:
            return ctx.block(env, body)
    return None


def cond(ctx: Analysis, env: Env, statement: t.If, at: int, value: Tensor, test: t.Expr) -> Returned | None:
    """Analyse an `if` on a tensor: one node with one region per branch. The tensor, the value of `test`, decides
    about the branch `at`."""
    _, body = statement.branches[at]
    ref = _test(ctx, value, test, "if")
    failed = ctx.failed
    then = _branch(ctx, env, lambda: ctx.block(env, body), test.span)
    rest = statement.branches[at + 1 :]
    place = rest[0][0].span if rest and rest[0][0] else statement.span
    otherwise = _branch(ctx, env, lambda: choose(ctx, env, statement, at + 1), place)
    if ctx.failed > failed:
        raise StatementFailed(None)
    if (then.returned is None) != (otherwise.returned is None):
        if ctx.is_partial:
            raise StatementFailed(None)
        ctx.fail(BRANCH_RETURN, test.span)
    if then.returned is not None:
        return _returned(ctx, statement, ref, then, otherwise)
    pairs = _paired(ctx, env, statement, then, otherwise)
    values, args, types = [], ([], []), []
    for name, (first, second) in pairs.items():
        kept = _same_host(first.value, second.value)
        values.append(kept)
        if not kept:
            types.append(_merged(ctx, f"'{name}'", first, second, args))
    node = None
    if types:
        node = _add(ctx, statement, ref, then, otherwise, args, types)
    elif not pairs:
        help = "bind a name in every branch, such as: y = ..."
        ctx.fail(CONTROL_NOTHING, test.span, help=help, word="if", what="its branches bind no name")
    outputs = iter(range(len(types)))
    for kept, (name, (first, _)) in zip(values, pairs.items(), strict=True):
        result = first.value
        if not kept and node is not None:
            output = next(outputs)
            result = Tensor(Ref(node, output), types[output], ctx.graph.name, first.span)
        before = env.overlapping(name, first.path)
        if before is not None and isinstance(result, Tensor):
            _rebind(ctx, env, name, before, result, first.path)
        else:
            env.bind_in(first.path, name, result, first.span)
            if isinstance(result, Tensor):
                ctx.graph.bound.append((name, first.span, (result.ref,)))
    return None


def _branch(ctx: Analysis, env: Env, analyse: Callable[[], Returned | None], span: Span) -> _Branch:
    before = env.snapshot()
    with region(ctx, env, span) as items:
        returned = analyse()
        names = {name: RegionBinding(b.value, b.span, b.path) for name, b in env.since(before)}
    return _Branch(tuple(items), names, returned, span)


def _paired(
    ctx: Analysis, env: Env, statement: t.If, then: _Branch, otherwise: _Branch
) -> dict[str, tuple[RegionBinding, RegionBinding]]:
    """The names that the branches bind, each with its value in both."""
    pairs, failed = {}, False
    for name in dict.fromkeys([*then.names, *otherwise.names]):
        first, second = then.names.get(name), otherwise.names.get(name)
        there = first or second
        before = None if there is None else env.overlapping(name, there.path)
        if before is not None:  # a branch in a loop body may leave it unchanged
            unchanged = RegionBinding(before.value, before.span, before.path)
            first, second = first or unchanged, second or unchanged
        if first is not None and second is not None:
            pairs[name] = first, second
        elif not name.startswith("_") and there is not None:
            failed = True
            if ctx.is_partial:
                continue
            missing = otherwise if first else then
            has_else = statement.branches[-1][0] is None
            help = f"bind {name} there too" if has_else else f"add an 'else' that binds {name} too"
            notes = (Note("the other branch begins on line {line}", missing.span),) if has_else else ()
            ctx.report(BRANCH_NAMES, there.span, notes, help, name=name)
    if failed:
        raise StatementFailed(None)
    return pairs


def _same_host(first: ExprValue, second: ExprValue) -> bool:
    return first is second or (type(first) is type(second) and is_host(first) and first == second)


def _merged(
    ctx: Analysis, shown: str, first: RegionBinding, second: RegionBinding, args: tuple[list[Arg], list[Arg]]
) -> TensorType:
    """The type of a value that comes from either branch. Both values are added to the results of the branches."""
    for one in (first, second):
        if isinstance(one.value, ErrorValue):
            raise StatementFailed(None)
        if not (has_tensor(one.value) or is_host(one.value)) or one.value is None:
            ctx.fail(LOOP_VALUE, one.span, name=shown.strip("'"), value=describe(one.value))
    dtype = tensor_dtype(first.value) or tensor_dtype(second.value)
    if dtype is None:
        both = [first.value, second.value]
        dtype = default_dtype(both, scalar_class(ctx, both, second.span))
    made = [to_arg(ctx, ArgumentValue(one.value, one.span), dtype) for one in (first, second)]
    for result, (arg, _) in zip(args, made, strict=True):
        result.append(arg)
    types = [type for _, type in made]
    if types[0].dtype != types[1].dtype or (shape := _either(ctx, *types)) is False:
        note = Note("the other is from line {line}", first.span)
        ctx.fail(BRANCH_TYPE, second.span, (note,), name=shown, first=types[0], second=types[1])
    return TensorType(types[0].dtype, shape)


def _either(ctx: Analysis, a: TensorType, b: TensorType) -> Shape | Literal[False]:
    """The known part of the shape that two tensors share. False if their shapes cannot be equal."""
    if a.shape is None or b.shape is None:
        return None
    if len(a.shape) != len(b.shape):
        return False
    dims = [tuple(map(ctx.graph.sizes.resolve, pair)) for pair in zip(a.shape, b.shape, strict=True)]
    if any(isinstance(x, int) and isinstance(y, int) and x != y for x, y in dims):
        return False
    return tuple(own if x == y else None for own, (x, y) in zip(a.shape, dims, strict=True))


def _returned(ctx: Analysis, statement: t.If, ref: Ref, then: _Branch, otherwise: _Branch) -> Returned:
    """Return from an `if` whose branches both return."""
    sides = [branch.returned.value for branch in (then, otherwise) if branch.returned is not None]
    several = isinstance(sides[0], tuple) and isinstance(sides[1], tuple) and len(sides[0]) == len(sides[1])
    pairs = list(zip(*sides, strict=True)) if several else [tuple(sides)]
    args, types = ([], []), []
    for first, second in pairs:
        bounds = RegionBinding(first, then.span, ()), RegionBinding(second, otherwise.span, ())
        types.append(_merged(ctx, "the value returned", *bounds, args))
    node = _add(ctx, statement, ref, then, otherwise, args, types)
    values = tuple(Tensor(Ref(node, i), type, ctx.graph.name, statement.span) for i, type in enumerate(types))
    return Returned(values if several else values[0])


def _add(ctx: Analysis, statement: t.If, ref: Ref, then: _Branch, otherwise: _Branch,
    args: tuple[list[Arg], list[Arg]], types: Iterable[TensorType],
) -> int:  # fmt: skip
    regions = tuple(Region((), b.items, tuple(results)) for b, results in zip((then, otherwise), args, strict=True))
    return ctx.graph.add(COND, {"pred": ref}, None, tuple(types), ctx.origin(statement.span), regions=regions)
