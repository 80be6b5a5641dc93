"""The variable `global_step` of every graph: the number of steps that its optimizer has taken.

It is made where a program uses the name and does not bind it itself. If a graph has one `optimize` or `apply`, that
counts it unless it says `global_step=none`. If it has several, those count it that say `global_step=global_step`.
"""

import re

from ...diagnostics import COUNT_KIND, COUNTED_BY_NONE, OPTION_UNKNOWN, Note
from ...program import Arg, Ref
from ...record import replace
from ...source import Span
from ...syntax import tree as t
from ...types import TensorType
from ..context import Analysis, GraphBuilder
from ..names import declared
from ..values import Env, Tensor, describe

NAME = "global_step"


def predefined(ctx: Analysis, env: Env, span: Span) -> Tensor:
    """The graph's variable. The name cannot be bound later."""
    for one in env.around():
        one.assumed.setdefault(NAME, span)
    return ctx.graph.variable(ctx.graph.counter(ctx.origin(span)))


def _is_used(ctx: Analysis, env: Env) -> bool:
    """Whether the file uses the graph's variable anywhere, also further down."""
    if ctx.graph.counts is not None:
        return not env.binds(NAME)
    if not ctx.tree or NAME not in ctx.tree[0].span.source.text or env.binds(NAME):
        return False
    return any(_mentions(one) for one in ctx.tree) and all(target.id != NAME for target, _ in declared(ctx.tree))


def _mentions(part: t.Part) -> bool:
    for node in t.trees(part):
        match node:
            case t.Name(id=name) | t.Identifier(id=name) if name.partition(".")[0] == NAME:
                return True
            case t.Constant(value=str(text)) if re.search(rf"{{{NAME}\b", text):
                return True
            case _:
                pass
    return False


def counted(ctx: Analysis, env: Env, statement: t.Optimize | t.ApplyGradients) -> dict[str, Arg]:
    """The argument of a step for the variable that it counts, if it counts one. `settle` has the last word where the
    statement does not say it."""
    word = "optimize" if isinstance(statement, t.Optimize) else "apply"
    said: dict[str, Arg] = {}
    for option in statement.options:
        if option.name != NAME:
            help = ctx.did_you_mean(option.name or "", [NAME])
            ctx.fail(OPTION_UNKNOWN, option.span, help=help, statement=word, name=option.name, known=NAME)
        value = ctx.evaluate(env, option.value)
        if value is None:
            ctx.graph.counting[statement.span] = False
            return {}
        if not (isinstance(value, Tensor) and value.is_variable and _is_whole(value.type)):
            ctx.fail(COUNT_KIND, option.value.span, value=describe(value))
        said[NAME] = ctx.use(value, option.value.span, NAME).ref
    if said:
        ctx.graph.counting[statement.span] = True
    elif _is_used(ctx, env):
        return {NAME: Ref(ctx.graph.counter(ctx.origin(statement.span)).id)}
    return said


def _is_whole(type: TensorType) -> bool:
    return type.dtype.kind in ("int", "uint") and type.rank == 0


def settle(ctx: Analysis, graph: GraphBuilder) -> None:
    """Decide, at the end of the graph half, which steps count the graph's variable."""
    if graph.counts is None:
        return
    own, steps = Ref(graph.counts.id), [graph.nodes[ref.node] for ref in graph.optimizers]
    says = {step.id: graph.counting.get(step.origin.span) for step in steps}
    if len(steps) == 1:
        counting = [step.id for step in steps if says[step.id] is None]
    else:
        counting = []
        if steps and not any(step.args.get(NAME) == own and says[step.id] for step in steps):
            notes = tuple(Note("a step is taken by line {line}", step.origin.span) for step in steps[:3])
            ctx.report(COUNTED_BY_NONE, graph.counts.origin.outside_libraries, notes)
    for step in steps:
        if says[step.id] is None and (step.args.get(NAME) == own) != (step.id in counting):
            rest = {name: arg for name, arg in step.args.items() if name != NAME}
            graph.exchange(replace(step, args={**rest, **({NAME: own} if step.id in counting else {})}))
