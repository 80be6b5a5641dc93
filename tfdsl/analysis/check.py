"""Runs the analysis: tree in, typed program out, with all errors and warnings at once."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from ..diagnostics import (
    AFTER_NEVER,
    DATA_UNKNOWN,
    FEED_SHAPE,
    IDLE,
    PAIRED,
    PARAM_UNKNOWN,
    SIZE_UNKNOWN,
    UNUSED,
    UNUSED_VALUE,
    Diagnostic,
)
from ..diagnostics.bag import Bag
from ..inputs import CompileInputs
from ..ops import OPS
from ..program import (
    Enter,
    Graph,
    Node,
    Program,
    Ref,
    Session,
    Train,
    places,
    refs_in,
    walk,
)
from ..source import Span
from ..syntax import tree as t
from .calls.optimizer_slips import warn_optimizers
from .calls.training import warn_unfed
from .context import Analysis, GraphBuilder, StatementFailed
from .dispatch import Dispatch
from .expressions.expressions import evaluate
from .expressions.global_step import settle
from .graph.loops import unclosed
from .graph.statements import block, graph_block
from .names import declared
from .sessions import outside_ops, paths, plan
from .warnings import order
from .warnings.best_values import warn_best_values
from .warnings.column_slips import warn_columns
from .warnings.effects import bodies_of, warn_effects, warn_logs
from .warnings.measures import warn_conditions, warn_measures
from .warnings.session_slips import idle_writes, unrun, untaken, warn_sessions
from .warnings.trained_values import warn_trained
from .warnings.unused import unused
from .warnings.zeros import warn_zeros

if TYPE_CHECKING:
    from .prefixes import Prefixes


def analyse(tree: t.File, inputs: CompileInputs, prefixes: "Prefixes | None" = None) -> tuple[Program, Bag]:
    """Return the program of a tree and its diagnostics. If the bag has errors, the program is incomplete and must not
    be built. `prefixes` are the states that are kept of a text that is edited."""
    ctx, program = analysed(tree, inputs, prefixes)
    return program, ctx.bag


def analysed(tree: t.File, inputs: CompileInputs, prefixes: "Prefixes | None" = None) -> tuple[Analysis, Program]:
    """Like `analyse`, but also returns the state of the analysis, so callers can add nodes."""
    begin = partial(_begun, tree, inputs)
    ctx, sessions, names = begin(), list[Session | None](), dict[str, Span]()
    steps = zip(repeat(ctx), tree.body) if prefixes is None else prefixes.through(tree, begin)
    for ctx, statement in steps:
        if isinstance(statement, t.Graph):
            try:
                graph_block(ctx, statement)
            except StatementFailed as failure:
                ctx.abandon(failure)
        elif not isinstance(statement, t.Session):
            block(ctx, ctx.env, (statement,))
    for graph in ctx.graphs.values():
        for diagnostic in unclosed(ctx, graph):
            ctx.bag.add(diagnostic)
        graph.half = len(graph.items)
        settle(ctx, graph)
    for statement in tree.body:
        if isinstance(statement, t.Session):
            sessions.append(plan.session(ctx, statement, names))
        elif isinstance(statement, t.Broken) and statement.word == "session":
            plan.broken_session(ctx, statement)
    _check_given(ctx)
    fed_wrong = {note.span for one in ctx.bag.errors if one.message is FEED_SHAPE for note in one.notes[:1]}
    ctx.bag.forget(PAIRED, fed_wrong)  # the placeholder has one axis too few or too many
    ctx.bag.forget(SIZE_UNKNOWN, fed_wrong)  # the right declaration has the size
    if ctx.is_partial:  # what is fed may be unknown
        ctx.bag.drop(PAIRED)
    if ctx.bag.errors:  # such as the use of a name that has no value for that reason
        ctx.bag.drop(AFTER_NEVER)
    graphs = tuple(graph.finish() for graph in ctx.graphs.values())
    kept = tuple(s for s in sessions if s is not None)
    program = Program(tree.span.source.path, tuple(ctx.params), tuple(ctx.data), graphs, kept)
    for diagnostic in (
        *paths.refused(program, ctx.access),
        *outside_ops.refused(program),
        *(() if ctx.is_partial else paths.doubtful_restores(program)),
    ):
        ctx.bag.add(diagnostic)
    if not ctx.bag.errors:
        told = [warn_effects(ctx, graph, set(_fetched(graph, program))) for graph in graphs]
        warn_logs(ctx, program, [s for s in tree.body if isinstance(s, t.Session)])
        _warn_unused(ctx, program, tree, told)
        _warn_untaken(ctx, program)
        if program.sessions and ctx.outside is None:  # otherwise another text may use it
            known = {span for builder in ctx.graphs.values() for _, span, _ in builder.bound}
            for diagnostic in unused(tree, known):
                ctx.bag.add(diagnostic)
        warn_sessions(ctx, program)
        warn_trained(ctx, program)
        warn_zeros(ctx, program)
        warn_optimizers(ctx, program)
        warn_unfed(ctx, program)
        warn_columns(ctx, program)
        order.warn(ctx, program)
        warn_conditions(ctx, program)
        warn_best_values(ctx, program)
        for builder, graph in zip(ctx.graphs.values(), graphs, strict=True):
            warn_measures(ctx, builder, graph)
    return ctx, program


def _begun(tree: t.File, inputs: CompileInputs) -> Analysis:
    """The state of the analysis in front of the first statement of a file."""
    ctx = Analysis(tree.span.source.path, inputs, Dispatch(evaluate, block))
    ctx.tree = tree.body
    ctx.begin(tree)
    ctx.allowed += inputs.limits.work_of(tree.span.source.text)
    return ctx


def _named(body: Iterable[object], kind: type[t.Param] | type[t.Data]) -> list[str]:
    """The names of the params or the data sets of a program."""
    return [one.target.id for one in body if isinstance(one, kind)]


def _check_given(ctx: Analysis) -> None:
    """Check that every given param and data set is declared."""
    broken = {target.id for target, _ in declared(ctx.tree)} if ctx.graph.broken & {t.Param, t.Data} else ()
    for message, given, known in (
        (PARAM_UNKNOWN, ctx.given_params, [p.name for p in ctx.params]),
        (DATA_UNKNOWN, ctx.given_data, list(ctx.datasets)),
    ):
        for name in given:
            if name not in known and name not in broken and not ctx.is_doubtful(name):
                kind = "params" if message is PARAM_UNKNOWN else "data"
                tree = t.Param if message is PARAM_UNKNOWN else t.Data
                names = [*known, *(one for one in _named(ctx.tree, tree) if one not in known)]  # failed ones too
                help = ctx.did_you_mean(name, names) or (
                    f"the {kind} are {', '.join(names)}" if names else f"the program declares no {kind}"
                )
                origin = ctx.origins.get(name if message is PARAM_UNKNOWN else f"data {name}", "")
                is_file = origin.endswith((".yaml", ".yml"))
                details = {"name": name, "given": f", which {origin} gives" if is_file else ""}
                ctx.bag.add(Diagnostic(message, None, details, help=help))


# --- unused nodes -----------------------------------------------------------------------------


def _warn_unused(ctx: Analysis, program: Program, tree: t.File, told: list[set[int]]) -> None:
    """Warn of every node that nothing uses: no node, session, loss or summary. `told` has the nodes of each graph
    that another warning covers.

    A name that begins with `_` uses its node: the caller of a function does not need a result of it. In a file without
    sessions, or with sessions that only give variables their values, the last statement and the nodes
    with whole names count as used.
    """
    has_sessions = any(bodies_of(program, graph) for graph in program.graphs)
    for builder, graph, known in zip(ctx.graphs.values(), program.graphs, told, strict=True):
        used = _used(builder, graph, program) | known
        used |= {ref.node for name, _, refs in builder.bound if name.startswith("_") for ref in refs}
        if not has_sessions:
            used |= {id for id, node in graph.nodes.items() if node.is_whole}
            last = next((one.span for one in reversed(tree.body) if not isinstance(one, t.Session)), None)
            for _, span, refs in builder.bound:
                if last is not None and span.source == last.source and span.start >= last.start:
                    used.update(ref.node for ref in refs)
        fates: dict[tuple, tuple[bool, str, Span, Iterable[Ref]]] = {}
        for name, span, refs in builder.bound:
            key = (span.source.path, span.start, name)
            is_used = any(ref.node in used for ref in refs) or fates.get(key, (False,))[0]
            fates[key] = (is_used, name, span, refs)
        bodies = bodies_of(program, graph)
        writes = idle_writes(graph, bodies)
        for is_used, name, span, refs in fates.values():
            if is_used or name.startswith("_") or span.source.is_library:
                continue
            message, details = (UNUSED, {"name": name}) if name else (UNUSED_VALUE, {})
            idle = unrun(ctx, builder, graph, bodies, writes, name, span, refs)
            operations = [graph.nodes[ref.node] for ref in refs if not graph.nodes[ref.node].outputs]
            if idle or not operations:
                ctx.bag.add(idle or Diagnostic(message, span, details, help=_predict_help(program, graph, name, refs)))
            elif bodies:
                trains = any(isinstance(one, Train) for body in bodies for one in places(body))
                _warn_idle(ctx, graph, operations, name, span, trains)
            elif name:
                ctx.bag.add(Diagnostic(message, span, details))


def _predict_help(program: Program, graph: Graph, name: str, refs: Iterable[Ref]) -> str:
    """A help line for an unused value that may have a row for each row of data, which `tfdsl predict` can write."""
    nodes = [graph.nodes[ref.node] for ref in refs]
    shapes = [node.outputs[0].shape for node in nodes if not node.is_placeholder and not node.origin.chain]
    if not name or not program.data or not any(shape and not isinstance(shape[0], int) for shape in shapes):
        return ""
    return f"use it, remove it, or call it _{name}; for predictions alone: tfdsl predict ... --values _{name}"


def _warn_idle(ctx: Analysis, graph: Graph, operations: list[Node], name: str, span: Span, trains: bool) -> None:
    """Warn of operations without output that nothing runs, unless the compiler itself runs them. A `run` in the body
    of a training would replace its automatic steps."""
    for node in operations:
        is_done = node.op in OPS and OPS[node.op].by_shape
        if not is_done and (name or any(node.inputs())):
            shown, op = name or "ok", node.op
            is_outside = any(item is node for item in graph.items)
            how = f"write the code that needs it into 'after {shown}:'" + ("" if is_outside else ", in the same block")
            if not node.origin.chain and is_outside:  # what a function, a loop or a branch makes has no name there
                how += f", or in a session{', outside its training' if trains else ''}: run {shown}"
            help = how if name else f"give it a name, {shown} = {op}(...), and {how}"
            ctx.bag.add(Diagnostic(IDLE, span, {"op": op}, help=help, chain=node.origin.chain))
            return


def _warn_untaken(ctx: Analysis, program: Program) -> None:
    """Warn of every `optimize` whose step no session of its graph takes."""
    for builder, graph in zip(ctx.graphs.values(), program.graphs, strict=True):
        bodies = bodies_of(program, graph)
        if not bodies:
            continue
        uses = [one.uses() for body in bodies for one in walk(body)]
        taken = graph.reach([ref for one in uses for ref in (*one.executes, *one.exports)])
        for ref in builder.optimizers:
            if ref.node not in taken:
                untaken(ctx, builder, graph, graph.nodes[ref.node], bodies, taken)


def _used(builder: GraphBuilder, graph: Graph, program: Program) -> set[int]:
    used = {ref.node for node in graph.nodes.values() for ref in node.inputs()}
    used |= {ref.node for node in graph.nodes.values() if node.is_merge for _, ref in node.back()}
    used |= {ref.node for item in graph.items if isinstance(item, Enter) for ref in item.refs}
    used |= {ref.node for ref in builder.optimizers}
    used |= {ref.node for group in builder.summaries.values() for ref in group}
    used |= {ref.node for one in graph.signatures for ref in (*one.executes, *(ref for _, ref in one.inputs))}
    if builder.loss is not None:
        used.add(builder.loss.node)
    return used | set(_fetched(graph, program))


def _fetched(graph: Graph, program: Program) -> Iterator[int]:
    """The nodes of a graph that sessions fetch."""
    for session in program.sessions:
        if session.graph == graph.name:
            yield from (ref.node for statement in walk(session.body) for ref in refs_in(statement))
