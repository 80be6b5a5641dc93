"""The bool `training` of every graph: true in an execution that takes an optimizer step.

A program can bind the name itself. In an imported file, such as in the defaults of the layers of `nn`
(`training=training`), the name is looked up where the file's function is called.
"""

from collections.abc import Container, Iterable, Iterator, Mapping

from ...diagnostics import BY_HAND, FED_TO_ALL, KEEP_PROB, LIKE_TRAINING, MODE_UNFED, TRAINING_KIND, Note
from ...program import (
    Export,
    Feed,
    Graph,
    Literal,
    Node,
    Origin,
    Program,
    Ref,
    Run,
    Statement,
    Static,
    Value,
    walk,
    written,
)
from ...source import Span
from ...syntax import tree as t
from ...types import BOOL, TensorType
from ..context import Always, Analysis, GraphBuilder
from ..executed import Kind, Reached
from ..names import Binding
from ..values import Env, ErrorValue, ExprValue, Tensor, describe

NAME = "training"

# --- the name ---------------------------------------------------------------------------------


def _sites(env: Env) -> Iterator[Env]:
    """A place, then the place that calls it, and so on up to the program's own file."""
    site: Env | None = env
    while site is not None:
        yield site
        around = list(site.around())
        is_imported = any(one.importer for one in around)
        site = next((one.caller or one.importer for one in around if one.caller or one.importer), None)
        site = site if is_imported else None


def bound(env: Env) -> Binding | None:
    """The program's own binding of the name, if there is one."""
    return next((found for site in _sites(env) if (found := site.find(NAME)) is not None), None)


def predefined(ctx: Analysis, env: Env, span: Span) -> Tensor:
    """The predefined `training` of the graph. The name cannot be bound later."""
    for site in _sites(env):
        for one in site.around():
            one.assumed.setdefault(NAME, span)
    return Tensor(ctx.graph.predefined(ctx.origin(span)), TensorType(BOOL, ()), ctx.graph.name, span)


def taken(ctx: Analysis, function: str, value: ExprValue, span: Span, found_from: Env | None, call: Span) -> None:
    """Check and record the argument `training` of a layer. A default was found from the place `found_from`."""
    match value:
        case bool() | ErrorValue():
            if value is True:
                binding = None if found_from is None else bound(found_from)
                ctx.always[ctx.chain, call] = Always(function, binding.span if binding else None)
            return
        case Tensor(type=TensorType(dtype=dtype)) if dtype == BOOL and value.type.rank in (0, None):
            ctx.graph.add_modes([value.ref])
            return
    notes, help = (), "write true, false, or a bool of the graph"
    if found_from is not None:
        binding = bound(found_from)  # none for a name from outside the text
        notes = () if binding is None else (Note("'training' is bound on line {line}", binding.span),)
        help = f"rename that, or write {function}(..., training=...) with true, false, or a bool of the graph"
    ctx.fail(TRAINING_KIND, span, notes, help, function=function, value=describe(value))


# --- what executions are fed ------------------------------------------------------------------


def with_training(
    ctx: Analysis, feeds: Mapping[Ref, Feed], own: Container[Ref], refs: Iterable[Ref], executed: Reached,
    what: str, statement: t.Statement, changed: Ref | None = None,
) -> Mapping[Ref, Feed]:  # fmt: skip
    """The feeds of a statement, with `training` added if it takes a step. `own` has its own feeds,
    and `changed` is a variable that it changes in another way than it `executed`."""
    graph, ref = ctx.graph, ctx.graph.training and Ref(ctx.graph.training.id)
    steps = executed.takes_step
    if not steps and not isinstance(statement, t.Run):
        if graph.modes:
            _warn_of_modes(ctx, feeds, own, refs, what, statement)
        _warn_of_drops(ctx, executed, what, statement)
        _warn_of_writes(ctx, executed, what, statement)
    if ref is None or ref.node not in executed or ref in feeds:
        return feeds
    if steps:
        return {**feeds, ref: Feed(ref, NAME, Value(True), ctx.origin(statement.span))}
    changes = {id for one in executed.all(Kind.WRITE) for id in written(graph.nodes, graph.nodes[one])}
    changes |= {changed.node} if changed else set()
    trained = [node for node in (graph.nodes[id] for id in sorted(changes)) if node.is_trainable]
    if trained:
        names = " and ".join(node.shown for node in trained)
        ctx.bag.add(ctx.diagnostic(BY_HAND, statement.span, what=what, names=names))
    return feeds


def _warn_of_drops(ctx: Analysis, executed: Reached, what: str, statement: t.Statement) -> None:
    """Warn if a training-only op always runs in a statement that takes no step."""
    graph = ctx.graph
    for id in executed.all(Kind.DROP):
        node = graph.nodes[id]
        row = node.table_row
        values = [node.args.get(name) for name in row.modes.split()]
        given = [arg.value for arg in values if isinstance(arg, (Static, Literal))]
        numbers = [value for value in given if isinstance(value, (int, float))]
        if not numbers:
            continue
        rate = numbers[0] if "rate" in node.args else round(1 - numbers[0], 6)
        if rate == 0 or id not in ctx.executed(graph, graph.optimizers, statement.span):
            continue
        doubted = [one.span for one in ctx.bag.diagnostics if one.message is KEEP_PROB and one.span is not None]
        if any(map(node.origin.span.holds, doubted)):
            rate = "..."  # the rate is not known
        place = node.origin.outside_libraries
        line = str(place.line) if place.source == statement.span.source else f"{place.line} of {place.source.path}"
        help = _help_drops(ctx, node.origin, rate)
        ctx.bag.add(
            ctx.diagnostic(
                LIKE_TRAINING, statement.span, help=help, layer=row.name, line=line, does="drops elements", what=what
            )
        )
        return


def _help_drops(ctx: Analysis, origin: Origin, rate: object) -> str:
    """How to fix a dropout that drops in every execution."""
    always = _always(ctx, origin)
    if always is not None:
        return _way(always, "drops")
    imports = any(isinstance(one, t.Import) and one.is_library for one in ctx.tree)
    return f"{'' if imports else 'write at the top: import nn; '}nn.dropout(x, rate={rate}) drops in training only"


def _always(ctx: Analysis, origin: Origin) -> Always | None:
    """The innermost layer call around a node that always runs in training mode."""
    calls = ((origin.chain[:at], origin.chain[at][1]) for at in reversed(range(len(origin.chain))))
    return next((ctx.always[call] for call in calls if call in ctx.always), None)


def _way(always: Always, does: str) -> str:
    """How to restrict a layer's behaviour to training."""
    if always.bound is not None:
        how = f"give 'training' of line {always.bound.line} another name"
        return f"{how}: {always.function} then {does} in training only"
    return f"leave the argument 'training' of {always.function} out: it then {does} in training only"


def _warn_of_writes(ctx: Analysis, executed: Reached, what: str, statement: t.Statement) -> None:
    """Warn if a layer that is always in training mode updates its statistics in a statement that takes no step."""
    graph = ctx.graph
    for id in executed.all(Kind.WRITE) if ctx.always else ():
        node = graph.nodes[id]
        always = _always(ctx, node.origin)
        if always is not None and id in ctx.executed(graph, graph.optimizers, statement.span):
            place = node.origin.outside_libraries
            line = str(place.line) if place.source == statement.span.source else f"{place.line} of {place.source.path}"
            names = " and ".join(graph.nodes[one].shown for one in written(graph.nodes, node))
            help, does = _way(always, "does so"), f"changes {names}"
            made = ctx.diagnostic(
                LIKE_TRAINING, statement.span, help=help, layer=always.function, line=line, does=does, what=what
            )
            ctx.bag.add(made)
            return


def _warn_of_modes(
    ctx: Analysis, feeds: Mapping[Ref, Feed], own: Container[Ref], refs: Iterable[Ref], what: str,
    statement: t.Statement,
) -> None:  # fmt: skip
    """Warn if a feed of the whole training body puts layers in training mode in a statement that takes no step."""
    graph, found = ctx.graph, {}
    for ref, feed in feeds.items():
        node = graph.nodes[ref.node]
        type, default = node.outputs[ref.output], node.args.get("default")
        is_switch = type.dtype == BOOL and ref in graph.modes
        off = Value(False) if is_switch else Value(default.value) if isinstance(default, Literal) else None
        if ref in own or type.rank != 0 or feed.value == off:
            continue
        others = [one for one in refs if one != ref]
        executed = ctx.executed(graph, others, statement.span, frozenset(feeds) - {ref})
        deciding = ctx.executed(graph, (mode for mode in graph.modes if mode.node in executed), statement.span)
        if ref.node in deciding:
            found[feed] = "..." if off is None else "false" if off.value is False else off.value
    if found:
        notes = (Note("line {line} feeds it for the whole body", next(iter(found)).origin.span),)
        help = "write here: with " + ", ".join(f"{feed.text} = {value}" for feed, value in found.items())
        names = " and ".join(f"'{feed.text}'" for feed in found)
        ctx.bag.add(ctx.diagnostic(FED_TO_ALL, statement.span, notes, help, what=what, names=names))


# --- switches that nothing feeds --------------------------------------------------------------


def warn_unfed(ctx: Analysis, program: Program) -> None:
    """Warn of placeholders that set the training mode of layers if every execution uses the default."""
    for builder, graph in zip(ctx.graphs.values(), program.graphs, strict=True):
        bodies = [session.body for session in program.sessions if session.graph == graph.name]
        statements = [one for body in bodies for one in walk(body)]
        fed = {feed.ref for one in statements for feed in one.uses().feeds}
        fed |= {ref for one in statements if isinstance(one, Export) for ref in one.given}
        for ref in sorted(builder.modes - fed, key=lambda ref: ref.node):
            node = graph.nodes[ref.node]
            if node.is_placeholder and isinstance(node.args.get("default"), Literal):
                _warn_of_default(ctx, builder, graph, node, statements)


def _warn_of_default(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, node: Node, statements: list[Statement]
) -> None:
    default, ref = node.static("default"), Ref(node.id)
    rates = [one for one in graph.nodes.values() if one.row is not None and one.args.get("rate") == ref]
    off = False if node.outputs[0].dtype == BOOL else 0.0 if rates else 1.0
    trains, other = False, None
    for one in statements:
        refs = [ref for _, ref in one.outputs] if isinstance(one, Export) else one.uses().executes
        executed = ctx.executed(builder, refs, node.origin.span)
        if node.id in executed and executed.takes_step:
            trains = True
        elif node.id in executed and not isinstance(one, Run):
            other = other or one
    layers = "its layers" if off is False else "its dropout"
    value = str(default).lower()
    if trains and default == off:
        does = f"{layers} never work as in training" if off is False else f"{layers} never drops"
        help = f"write in the body of the training: feed {node.name} = {'true' if off is False else '...'}"
    elif trains and other is not None:
        does = f"{layers} work as in training" if off is False else f"{layers} drops"
        does += f" on line {other.origin.span.line} too"
        help = f"write there: with {node.name} = {str(off).lower()}"
    else:
        return
    if off is False:
        help += f"; or leave {node.name} out: the layers of nn know when a step is taken"
    else:
        help += "; or use nn.dropout(x, rate=...), which drops in training only"
    ctx.warn(MODE_UNFED, node.origin, help=help, name=node.name, value=value, does=does)
