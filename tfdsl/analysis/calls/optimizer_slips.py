"""Finds mistakes in what a program tells its optimizers: a rate or a factor that stops them, a loss that none of them
takes, and variables that are left out or that no gradient reaches.

Input: arguments of optimizers, and the finished program. Output: warnings, each with the correct code.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from ...diagnostics import (
    COUNTER_STILL,
    GRADIENT_ENDS,
    LOSS_UNUSED,
    NEVER_TRAINED,
    NO_STEP_DOWN,
    OPTIMIZER_POSITION,
    QUOTIENT_ZERO,
    Diagnostic,
    Note,
)
from ...ops.named import IDENTITY, MULTIPLY, NEGATIVE, STOP_GRADIENT
from ...ops.optimizers import OptimizerRow
from ...program import (
    APPLY,
    Graph,
    Literal,
    Node,
    Program,
    Ref,
    Restore,
    Static,
    minimized,
    refs_of,
    upstream,
    walk,
    written,
)
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis, GraphBuilder
from ..gradient_flow import is_one_loss, reached_variables, trained
from ..gradient_paths import gradient_upstream, is_inexact
from ..variable_names import shown_variables
from .arguments import ArgumentValue

# --- factors ----------------------------------------------------------------------------------


def doubt_quotient(ctx: Analysis, expr: t.Binary, left: object, right: object) -> None:
    """Warn of a division of two written numbers whose result is 0, such as `1 // 20`."""
    written = isinstance(expr.left, t.Constant) and isinstance(expr.right, t.Constant)
    if (
        written
        and isinstance(left, int)
        and isinstance(right, int)
        and 0 < abs(left) < abs(right)
        and left // right == 0
    ):
        text = expr.span.text.strip("()")
        ctx.report(QUOTIENT_ZERO, expr.span, text=text, left=expr.left.span.text, right=expr.right.span.text)


def doubt_learning_rate(ctx: Analysis, rate: ArgumentValue) -> None:
    """Warn of a known rate with which an optimizer does not make its loss smaller."""
    value = rate.value
    if not isinstance(value, (int, float)) or value > 0 or _is_quotient(ctx, rate.span):
        return
    if value != value:
        does, help = "makes every variable NaN", "give it a rate above 0, such as learning_rate=0.01"
    elif value == 0:
        does, help = "changes nothing", "give it a rate above 0, such as learning_rate=0.01"
        help += "; // drops the fraction, and / keeps it" if "//" in rate.text else ""
    else:
        does, help = "makes the loss larger", "write a rate above 0; to make a value larger: optimize -value with ..."
    ctx.report(NO_STEP_DOWN, rate.span, help=help, what=f"the learning_rate is {value}", subject="optimizer", does=does)


def doubt_decay(ctx: Analysis, name: str, factor: ArgumentValue) -> None:
    """Warn of a known factor for earlier gradients with which an optimizer never forgets them."""
    value = factor.value
    if isinstance(value, (int, float)) and value >= 1:
        help = f"write a factor from 0 to below 1, such as {name}=0.9"
        what = f"{name} is {value}"
        ctx.report(NO_STEP_DOWN, factor.span, help=help, what=what, subject="optimizer", does="does not converge")


def doubt_position(ctx: Analysis, row: OptimizerRow, name: str, arguments: Mapping[str, ArgumentValue]) -> None:
    """Warn of a first argument that stands where other libraries have the learning rate."""
    argument, help = arguments[name], ""
    if name == row.name:  # the name of the optimizer says what it is, except of a number that only a rate would be
        value = argument.value
        if len(arguments) > 1 or not isinstance(value, (int, float)) or not 0 < value <= 0.1:
            return
        help = f"write {row.name}(0.9, learning_rate={argument.text}), or {name}={argument.text} if that is meant"
    ctx.report(OPTIMIZER_POSITION, argument.span, help=help, optimizer=row.name, name=name, value=argument.text)


def _is_quotient(ctx: Analysis, span: Span) -> bool:
    """Whether a place has a quotient that is 0, which has its own warning."""
    told = (one.span for one in ctx.bag.diagnostics if one.message is QUOTIENT_ZERO and one.span is not None)
    return any(map(span.holds, told))


def _is_zero(graph: Graph, loss: Ref) -> bool:
    """Whether a loss is 0 times a value."""
    factors = upstream(graph.nodes, [loss], lambda node: node.inputs() if node.row in _KEEP_ZERO else ())
    return any(
        node.row is MULTIPLY and any(isinstance(arg, Literal) and arg.value == 0 for arg in node.args.values())
        for node in factors
    )


_KEEP_ZERO = (MULTIPLY, NEGATIVE, IDENTITY)  # their result is 0 if an argument is


# --- the program ------------------------------------------------------------------------------


def warn_optimizers(ctx: Analysis, program: Program) -> None:
    for builder, graph in zip(ctx.graphs.values(), program.graphs, strict=True):
        steps = graph.steps()
        _doubt_loss(ctx, builder, graph, steps)
        for step in steps:
            if step.loss is not None and _is_zero(graph, step.loss) and not _is_quotient(ctx, step.origin.span):
                help = "give the factor a value other than 0; // drops the fraction of a quotient, and / keeps it"
                what, subject = "the loss is 0 times a value", "'optimize'"
                ctx.warn(NO_STEP_DOWN, step.origin, help=help, what=what, subject=subject, does="changes nothing")
            _doubt_counter(ctx, program, graph, step)
        handled = None if not steps else _handled(ctx, program, graph, steps)
        if handled is not None:
            _doubt_left_out(ctx, graph, steps, handled)
            _doubt_barriers(ctx, graph, steps, handled)


def _doubt_loss(ctx: Analysis, builder: GraphBuilder, graph: Graph, steps: Iterable[Node]) -> None:
    """Warn of a declared loss that is no part of the loss of any optimizer."""
    losses = [loss for step in steps for loss in minimized(graph.nodes, step)]
    if builder.loss is not None and builder.loss_span is not None and losses:
        reached = graph.reach(losses)
        ctx.spend(len(reached), builder.loss_span)
        if builder.loss.node not in reached:
            first, ops = next(iter(steps)), dict.fromkeys(f"'{step.op}'" for step in steps)
            line = first.origin.span.line
            way = f"leave the loss of the 'optimize' on line {line} out: optimize with ..."
            if first.op == APPLY:
                way = f"apply its gradients on line {line}"
            found = Diagnostic(LOSS_UNUSED, builder.loss_span, {"ops": " or ".join(ops)}, help=f"remove it; or {way}")
            ctx.bag.add(found.outside_libraries())


def _handled(ctx: Analysis, program: Program, graph: Graph, steps: Iterable[Node]) -> set[int] | None:
    """The variables that something trains, writes, sets or restores. None for all of them."""
    nodes = graph.nodes
    handled = {id for step in steps for id in trained(ctx, nodes, step)}
    handled |= {id for node in nodes.values() for id in written(nodes, node)}
    for session in program.sessions:
        for one in walk(session.body) if session.graph == graph.name else ():
            handled |= {ref.node for ref in one.uses().sets}
            if isinstance(one, Restore):
                if one.pairs is None:
                    return None
                handled |= {ref.node for ref, _ in one.pairs}
    return handled


def _doubt_counter(ctx: Analysis, program: Program, graph: Graph, step: Node) -> None:
    """Warn of an argument of an optimizer, such as its learning rate, that is computed from a counter that nothing
    counts: a variable that begins at the whole number 0."""
    given = [ref for name, arg in step.args.items() if name not in ("loss", "gradients", "wrt") for ref in refs_of(arg)]
    reached = graph.reach(given)
    ctx.spend(len(reached), step.origin.span)
    for node in (graph.nodes[id] for id in sorted(reached)):
        initial = node.args.get("initial") if node.is_variable else None
        is_counter = isinstance(initial, (Literal, Static)) and initial.value == 0 and not node.is_trainable
        handled = _handled(ctx, program, graph, graph.steps()) if is_counter else None
        if handled is not None and node.id not in handled:
            name = node.given_name
            help = f"write in the body of the training: set {name} = step"
            note = Note("the 'optimize' is on line {line}", step.origin.span)
            ctx.warn(COUNTER_STILL, node.origin, note, help=help, name=name)


# --- variables left out of 'wrt' --------------------------------------------------------------


def _doubt_left_out(ctx: Analysis, graph: Graph, steps: list[Node], handled: set[int]) -> None:
    """Warn of variables that no `wrt` names: those of another call of a function whose variables one trains, and those
    of the loss of an optimizer whose `wrt` repeats that of another one.

    Otherwise a program that lists variables leaves the others out on purpose.
    """
    listed = [(step, set(trained(ctx, graph.nodes, step))) for step in steps if "wrt" in step.args]
    for at, (step, own) in enumerate(listed):
        left = reached_variables(ctx, graph.nodes, step) - handled
        if not left:
            continue
        twin = next((other for other, same in listed[:at] if same == own and not is_one_loss(other, step)), None)
        calls = _other_calls(ctx, graph, own, left)
        if calls:
            made = graph.nodes[calls[0]]
            name = made.name
            note = Note(f"each call of this function makes its own {name}, on line {{line}}", made.origin.span)
            help = (
                f"write there: shared {name}, in place of variable {name}, so that all calls use one; or end that line "
                "with: , trainable=false, if the others should stay at the initial value"
            )
            ctx.warn(NEVER_TRAINED, step.origin, note, help=help, names=shown_variables(graph.items, calls))
        elif twin is not None:
            names = shown_variables(graph.items, sorted(left))
            note = Note("line {line} trains the same variables", twin.origin.span)
            help = f"name them in one of the two: wrt {names}; or end the lines of variables that should stay with: , "
            ctx.warn(NEVER_TRAINED, step.origin, note, help=f"{help}trainable=false", names=names)


def _other_calls(ctx: Analysis, graph: Graph, own: set[int], left: set[int]) -> list[int]:
    """The variables that the lines of trained ones make in other calls, which take other arguments. A call that works
    on the result of another one is a further layer."""
    nodes = graph.nodes

    @cache
    def call(id: int) -> tuple[set[int], set[Ref], set[int]]:
        """The nodes that the call of a variable makes, their arguments, and all nodes that the arguments need."""
        ctx.spend(len(nodes), nodes[id].origin.span)
        inside = {node.id for node in nodes.values() if _is_within(node, nodes[id])}
        given = {ref for one in inside for ref in _taken(nodes[one]) if ref.node not in inside}
        return inside, given, graph.reach(given)

    def are_parallel(one: int, other: int) -> bool:
        (inside, given, below), (others, others_given, others_below) = call(one), call(other)
        ctx.spend(len(inside) + len(others), nodes[one].origin.span)
        return given != others_given and all(
            a.isdisjoint(b) for a, b in ((inside, others), (below, others), (others_below, inside))
        )

    same: dict[Span, list[int]] = {}
    for id in own:
        same.setdefault(nodes[id].origin.span, []).append(id)
    return [
        id for id in sorted(left)
        if nodes[id].origin.chain and any(are_parallel(id, one) for one in same.get(nodes[id].origin.span, ()))
    ]  # fmt: skip


def _taken(node: Node) -> Iterable[Ref]:
    return () if node.is_variable else node.inputs()


def _is_within(node: Node, made: Node) -> bool:
    """Whether a node is made in the call that makes another one."""
    chain = made.origin.chain
    return node.origin.chain[: len(chain)] == chain


# --- variables behind an op without a gradient ------------------------------------------------


def _doubt_barriers(ctx: Analysis, graph: Graph, steps: Iterable[Node], handled: set[int]) -> None:
    """Warn of ops of a loss through which no gradient goes to variables that nothing else changes. `stop_gradient`
    says that this is intended, as `trainable=false` does."""
    nodes = graph.nodes
    losses = [step.loss for step in steps if step.loss is not None and "wrt" not in step.args]
    for node in gradient_upstream(nodes, losses):
        ctx.spend(2, node.origin.span)
        if node.row is None or node.row.by_shape or node.row is STOP_GRADIENT:
            continue
        for barrier in _barriers(nodes, node):
            ids = _behind(nodes, barrier) - handled
            if ids:
                _report_barrier(ctx, graph, barrier, ids)


def _barriers(nodes: Mapping[int, Node], node: Node) -> Iterator[Node]:
    """The ops at which a gradient ends that comes to a node: the node itself, or one that makes other numbers of the
    floats it takes."""
    if node.row is not None and node.row.no_gradient == "*":
        yield node
        return

    def whole_inputs(made: Node) -> list[Ref]:
        is_open = made.row is not None and not made.row.by_shape
        return [ref for ref in made.inputs() if not is_inexact(nodes[ref.node].outputs, ref.output)] if is_open else []

    for made in upstream(nodes, whole_inputs(node), whole_inputs):
        if made.row is not None and not made.row.by_shape and len(whole_inputs(made)) < len(list(made.inputs())):
            yield made


def _behind(nodes: Mapping[int, Node], barrier: Node) -> set[int]:
    """The trainable variables that an op is made from."""

    def follow(node: Node) -> Iterable[Ref]:
        ends = node.is_variable or (node.row is not None and (node.row.by_shape or node.row is STOP_GRADIENT))
        return () if ends else node.inputs()

    return {node.id for node in upstream(nodes, barrier.inputs(), follow) if node.is_trainable}


def _report_barrier(ctx: Analysis, graph: Graph, barrier: Node, ids: set[int]) -> None:
    row = barrier.row
    op = f"'{row.operator}'" if row is not None and row.operator else barrier.op
    names, several = shown_variables(graph.items, sorted(ids)), len(ids) > 1
    texts = [_written_name(ctx, graph, ref) for ref in barrier.inputs() if _behind_ref(graph, ref) & ids]
    text = next((text for text in texts if text), "")
    way = f"write stop_gradient({text}) in place of {text}" if text else "put stop_gradient(...) around its argument"
    them, they = ("them", "they") if several else ("it", "it")
    ctx.warn(GRADIENT_ENDS, barrier.origin, op=op, names=names, them=them, they=they, way=way)


def _written_name(ctx: Analysis, graph: Graph, ref: Ref) -> str:
    """The program's name of a node."""
    builder, own = ctx.graphs[graph.name], graph.nodes[ref.node].name or ""
    bound = (name for name, span, refs in builder.bound if name and ref in refs and not span.source.is_library)
    return next(bound, own if builder.env.binds(own) else "")


def _behind_ref(graph: Graph, ref: Ref) -> set[int]:
    node = graph.nodes[ref.node]
    return {node.id} if node.is_variable else _behind(graph.nodes, node)
