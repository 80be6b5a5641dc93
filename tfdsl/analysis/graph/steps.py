"""Analyses the steps of optimizers: `loss`, `optimize` and `apply`."""

from collections.abc import Iterator

from ...diagnostics import (
    GRADIENT_COUNT,
    GRADIENT_TWICE,
    GRADIENT_TYPE,
    LOSS_MISSING,
    LOSS_TWICE,
    LOSS_TYPE,
    NOT_OPTIMIZER,
    TRAINED_COMPLEX,
    Note,
)
from ...ops.optimizers import OPTIMIZERS, OptimizerRow
from ...program import APPLY, OPTIMIZE, Arg, Ref, Refs, Static
from ...record import Record
from ...source import Span
from ...syntax import tree as t
from ...types import SizeMismatch, match_shape
from ..calls import other_layers
from ..calls.arguments import ArgumentValue, operand_notes
from ..calls.calls import optimizer
from ..calls.scopes import first_other, variables_of
from ..calls.wrong_kind import no_gradient, not_tensor, not_variable, nothing_trainable, scalar_name
from ..context import Analysis, StatementFailed
from ..expressions import global_step
from ..expressions.binding import bind
from ..expressions.expressions import given, value_of, values_of
from ..expressions.node_names import give_name, node_name
from ..gradient_flow import barriers, variables_below
from ..values import Env, ExprValue, Operation, Optimizer, Tensor, describe, is_host


def _scalar_float(ctx: Analysis, value: ArgumentValue) -> Tensor:
    tensor = value.value
    if not isinstance(tensor, Tensor):
        help = "a loss is computed from variables, as in: loss reduce_mean(square(error))" if is_host(tensor) else ""
        not_tensor(ctx, tensor, value.span, help)
    if tensor.type.rank not in (0, None) or tensor.type.dtype.kind != "float":
        help = ""
        if tensor.type.dtype.kind in ("int", "uint", "bool"):
            cast = f"cast({value.text}, float32)"
            help = f"make it a float: {cast}" if tensor.type.rank == 0 else f"take its mean: reduce_mean({cast})"
        ctx.fail(LOSS_TYPE, value.span, operand_notes([value]), help, type=tensor.type)
    return tensor


def loss(ctx: Analysis, env: Env, statement: t.Loss) -> None:
    tensor = _scalar_float(ctx, given(ctx, env, statement.value))
    if ctx.graph.loss is not None:
        note = Note("the first is on line {line}", ctx.graph.loss_span)
        terms = [span.one_line.removeprefix("loss ") for span in (ctx.graph.loss_span, statement.span) if span]
        ctx.fail(LOSS_TWICE, statement.span, (note,), sum=f"loss {' + '.join(terms)}")
    ctx.graph.loss, ctx.graph.loss_span = tensor.ref, statement.span


def optimize(ctx: Analysis, env: Env, statement: t.Optimize) -> None:
    """`optimize LOSS with OPTIMIZER`."""
    graph = ctx.graph
    loss, chosen, counted, wrt = ctx.together(
        lambda: _loss_of(ctx, env, statement),
        lambda: _optimizer(ctx, env, statement.optimizer),
        lambda: global_step.counted(ctx, env, statement),
        lambda: values_of(ctx, env, statement.wrt or ()),
    )
    if loss is None:
        raise StatementFailed(None)
    args: dict[str, Arg] = {"loss": loss, "optimizer": Static(chosen.row.name), **chosen.args, **counted}
    if statement.wrt is not None:
        args["wrt"] = Refs(tuple(_wrt(ctx, env, statement, wrt, loss)))
    else:
        trainable = [
            n for n in graph.nodes.values()
            if n.is_variable and n.args.get("trainable") != Static(False)
        ]  # fmt: skip
        reached = variables_below(ctx, loss, statement.span)
        trained = [n.id for n in trainable if n.id in reached]
        for variable in trained:
            _check_trained(ctx, variable, statement.span)
        if not trained:
            if t.Variable in graph.broken:
                raise StatementFailed(None)
            ends = next(filter(None, (barriers(ctx, loss, Ref(n.id)) for n in trainable)), ())
            nothing_trainable(ctx, loss, trainable, statement.span, ends)
    _add_step(ctx, env, OPTIMIZE, args, statement)


def apply(ctx: Analysis, env: Env, statement: t.ApplyGradients) -> None:
    """`apply GRADIENTS to VARIABLES with OPTIMIZER`."""
    gradients, variables, chosen, counted = ctx.together(
        lambda: ctx.each(lambda expr: _tensors(ctx, env, expr), statement.gradients),
        lambda: ctx.each(lambda expr: _variables(ctx, env, expr), statement.variables),
        lambda: _optimizer(ctx, env, statement.optimizer),
        lambda: global_step.counted(ctx, env, statement),
    )
    given = [one for some in gradients for one in some]
    changed = [one for some in variables for one in some]
    if len(given) != len(changed):
        ctx.fail(GRADIENT_COUNT, statement.gradients[0].span, gradients=len(given), variables=len(changed))
    seen: set[Ref] = set()
    for gradient, variable in zip(given, changed, strict=True):
        _check_gradient(ctx, gradient, variable)
        if variable.value.ref in seen:
            ctx.fail(GRADIENT_TWICE, variable.span, name=ctx.graph.nodes[variable.value.ref.node].shown)
        seen.add(variable.value.ref)
    args: dict[str, Arg] = {
        "gradients": Refs(tuple(one.value.ref for one in given)), "wrt": Refs(tuple(one.value.ref for one in changed)),
        "optimizer": Static(chosen.row.name), **chosen.args, **counted,
    }  # fmt: skip
    _add_step(ctx, env, APPLY, args, statement)


class _Placed(Record):
    """A tensor that a statement names, and the place of the expression."""

    value: Tensor
    span: Span


def _tensors(ctx: Analysis, env: Env, expr: t.Expr) -> list[_Placed]:
    """The gradients that an expression gives: one, or those of a list."""
    value = value_of(ctx, env, expr)
    found: list[_Placed] = []
    for one in value if isinstance(value, (list, tuple)) else [value]:
        if not isinstance(one, Tensor):
            not_tensor(ctx, one, expr.span)
        found.append(_Placed(ctx.use(one, expr.span, expr.span.one_line), expr.span))
    return found


def _variables(ctx: Analysis, env: Env, expr: t.Expr) -> list[_Placed]:
    """The variables that an expression names: one, those of a list, or those of a scope that can be trained."""
    value = value_of(ctx, env, expr)

    def fits(variable: Tensor) -> bool:
        return ctx.graph.nodes[variable.ref.node].is_trainable

    variables = variables_of(ctx, env, expr, value, "'apply'", fits, " that can be trained")
    if variables is None:
        not_variable(ctx, "'apply'", first_other(value), expr.span)
    for one in variables:
        _check_trained(ctx, one.ref.node, expr.span)
    return [_Placed(one, expr.span) for one in variables]


def _check_gradient(ctx: Analysis, gradient: _Placed, variable: _Placed) -> None:
    """Check that a gradient has the type of its variable."""
    own, type = variable.value.type, gradient.value.type
    is_same = type.dtype == own.dtype
    if is_same:
        try:
            match_shape(own.shape, type.shape, {}, ctx.graph.sizes)
        except SizeMismatch:
            is_same = False
    if not is_same:
        notes = operand_notes([ArgumentValue(one.value, one.span) for one in (variable, gradient)])
        name = ctx.graph.nodes[variable.value.ref.node].shown
        ctx.fail(GRADIENT_TYPE, gradient.span, notes, name=name, declared=own, type=type)


def _add_step(ctx: Analysis, env: Env, op: str, args: dict[str, Arg], statement: t.Optimize | t.ApplyGradients) -> None:
    """Add the step of an optimizer, and bind its name."""
    graph, target = ctx.graph, statement.target
    whole = None if statement.node is None else node_name(ctx, env, statement.node)
    name = target.id if target and whole is None else None
    node = graph.add(op, args, name, (), ctx.origin(statement.span))
    if whole is not None and statement.node is not None:
        give_name(ctx, node, whole, statement.node.span)
    graph.optimizers.append(Ref(node))
    if target:
        bind(ctx, env, target, Operation(Ref(node), graph.name, statement.span))


def _loss_of(ctx: Analysis, env: Env, statement: t.Optimize) -> Ref | None:
    if statement.loss is not None:
        return _scalar_float(ctx, given(ctx, env, statement.loss)).ref
    if ctx.graph.loss is None and t.Loss not in ctx.graph.broken:
        ctx.fail(LOSS_MISSING, statement.span, loss=scalar_name(ctx) or "LOSS", optimizer=statement.optimizer.span.text)
    return ctx.graph.loss


def _optimizer(ctx: Analysis, env: Env, expr: t.Expr) -> Optimizer:
    try_name = expr.function if isinstance(expr, t.Call) else expr
    if isinstance(try_name, t.Name) and try_name.id not in OPTIMIZERS and not env.knows(try_name.id):
        help = other_layers.optimizer(try_name.id, expr.span.text) or ctx.did_you_mean(
            try_name.id.removesuffix("Optimizer") or try_name.id, OPTIMIZERS
        )
        ctx.fail(NOT_OPTIMIZER, try_name.span, help=help, value=f"'{try_name.id}'", known=", ".join(OPTIMIZERS))
    value = value_of(ctx, env, expr)
    if isinstance(value, OptimizerRow):
        value = optimizer(ctx, value, [], expr.span)
    if not isinstance(value, Optimizer):
        ctx.fail(NOT_OPTIMIZER, expr.span, value=describe(value), known=", ".join(OPTIMIZERS))
    return value


def _wrt(ctx: Analysis, env: Env, statement: t.Optimize, values: list[ExprValue], loss: Ref) -> Iterator[Ref]:
    reached = variables_below(ctx, loss, statement.span)

    def trains(variable: Tensor) -> bool:
        return ctx.graph.nodes[variable.ref.node].is_trainable and variable.ref.node in reached

    for expr, one in zip(statement.wrt or (), values, strict=True):
        value = ArgumentValue(one, expr.span)
        fitting = " that can be trained and that the loss depends on"
        variables = variables_of(ctx, env, expr, one, "'wrt'", trains, fitting)
        if variables is None:
            not_variable(ctx, "'wrt'", first_other(one), value.span)
        for one in variables:
            if one.ref.node not in reached:
                notes, ends = operand_notes([value]), barriers(ctx, loss, one.ref)
                no_gradient(ctx, "the loss", [loss], value.text, one.ref, value.span, notes, ends)
            _check_trained(ctx, one.ref.node, value.span)
            yield one.ref


def _check_trained(ctx: Analysis, variable: int, span: Span) -> None:
    """Check that the loss depends on a variable that an optimizer is to train."""
    node = ctx.graph.nodes[variable]
    if node.outputs[0].dtype.kind == "complex":
        ctx.fail(TRAINED_COMPLEX, span, name=node.name, dtype=node.outputs[0].dtype)
