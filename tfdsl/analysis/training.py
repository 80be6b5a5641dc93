"""The bool `training` that every graph has: true in an execution that takes the step of an optimizer.

It is the program's own where the program binds that name. A name of an imported file, as the layers of `nn` have it
for the default of a parameter (`training=training`), is looked for where the file's function is called.
"""

from collections.abc import Container, Iterable, Iterator, Mapping

from ..diagnostics import BY_HAND, DROPS, FED_TO_ALL, KEEP_PROB, TRAINING_KIND, Note
from ..program import Feed, Literal, Origin, Ref, Static, Value, takes_step
from ..source import Span
from ..syntax import tree as t
from ..types import BOOL, TensorType
from .context import Always, Analysis
from .names import Binding, Env
from .order import written
from .values import Broken, Tensor, describe

NAME = "training"

# --- the name ---------------------------------------------------------------------------------


def _sites(env: Env) -> Iterator[Env]:
    """A place, then the one that it is called from, and so on up to the program's own file."""
    site: Env | None = env
    while site is not None:
        yield site
        around = list(site.around())
        is_imported = any(one.importer for one in around)
        site = next((one.caller or one.importer for one in around if one.caller or one.importer), None)
        site = site if is_imported else None


def bound(env: Env) -> Binding | None:
    """What the program binds the name to, if it does."""
    return next((found for site in _sites(env) if (found := site.find(NAME)) is not None), None)


def predefined(ctx: Analysis, env: Env, span: Span) -> Tensor:
    """The graph's own; nobody may bind the name later."""
    for site in _sites(env):
        for one in site.around():
            one.assumed.setdefault(NAME, span)
    return Tensor(ctx.graph.predefined(ctx.origin(span)), TensorType(BOOL, ()), ctx.graph.name, span)


def taken(ctx: Analysis, function: str, value: object, span: Span, found_from: Env | None, call: Span) -> None:
    """Check what a layer takes for `training`, and keep it; what a call does not give was found from a place."""
    match value:
        case bool() | Broken():
            if value is True:
                binding = None if found_from is None else bound(found_from)
                ctx.always[ctx.chain, call] = Always(function, binding.span if binding else None)
            return
        case Tensor(type=TensorType(dtype=dtype)) if dtype == BOOL and value.type.rank in (0, None):
            ctx.graph.modes.add(value.ref)
            return
    notes, help = (), "write true, false, or a bool of the graph"
    if found_from is not None:
        binding = bound(found_from)  # none of a name from outside of the text
        notes = () if binding is None else (Note("'training' is bound on line {line}", binding.span),)
        help = (
            f"give that another name, or write {function}(..., training=...) with true, false, or a bool of the graph"
        )
    ctx.fail(TRAINING_KIND, span, notes, help, function=function, value=describe(value))


# --- what executions are fed ------------------------------------------------------------------


def with_training(
    ctx: Analysis, feeds: Mapping[Ref, Feed], own: Container[Ref], refs: Iterable[Ref], reached: set[int],
    what: str, statement: t.Statement, changed: Ref | None = None,
) -> Mapping[Ref, Feed]:  # fmt: skip
    """The feeds of a statement, with `training` where it takes a step. `own` are those that it has itself, `reached`
    the nodes that it executes, `changed` a variable that it changes besides."""
    graph, ref = ctx.graph, ctx.graph.training and Ref(ctx.graph.training.id)
    steps = takes_step(graph.nodes, reached)
    if not steps and not isinstance(statement, t.Run):
        if graph.modes:
            _warn_of_modes(ctx, feeds, own, refs, what, statement)
        _warn_of_drops(ctx, reached, what, statement)
    if ref is None or ref.node not in reached or ref in feeds:
        return feeds
    if steps:
        return {**feeds, ref: Feed(ref, NAME, Value(True), ctx.origin(statement.span))}
    changes = {id for one in reached for id in written(graph.nodes, graph.nodes[one])}
    changes |= {changed.node} if changed else set()
    trained = [node for node in (graph.nodes[id] for id in sorted(changes)) if node.is_trainable]
    if trained:
        names = " and ".join(node.name for node in trained)
        ctx.bag.add(ctx.diagnostic(BY_HAND, statement.span, what=what, names=names))
    return feeds


def _warn_of_drops(ctx: Analysis, reached: set[int], what: str, statement: t.Statement) -> None:
    """Warn where an op that is for training works in a statement that takes no step, and always does."""
    graph = ctx.graph
    for id in sorted(reached):
        node = graph.nodes[id]
        row = node.row
        values = [node.args.get(name) for name in row.modes.split()] if row is not None else []
        given = [arg.value for arg in values if isinstance(arg, (Static, Literal)) and arg.value is not None]
        if not given:
            continue
        rate = given[0] if "rate" in node.args else round(1 - given[0], 6)
        if rate == 0 or id not in graph.reach(graph.optimizers):
            continue
        if any(one.message is KEEP_PROB and node.origin.span.holds(one.span) for one in ctx.bag.diagnostics):
            rate = "..."  # nobody knows which share is meant
        place = node.origin.outside_libraries
        line = str(place.line) if place.source == statement.span.source else f"{place.line} of {place.source.path}"
        help = _help_drops(ctx, node.origin, rate)
        ctx.bag.add(ctx.diagnostic(DROPS, statement.span, help=help, what=what, line=line))
        return


def _help_drops(ctx: Analysis, origin: Origin, rate: object) -> str:
    """What to write for a dropout that drops in every execution."""
    for at in reversed(range(len(origin.chain))):
        always = ctx.always.get((origin.chain[:at], origin.chain[at][1]))
        if always is not None and always.bound is not None:
            how = f"give 'training' of line {always.bound.line} another name"
            return f"{how}: {always.function} then drops in training only"
        if always is not None:
            return f"leave the argument 'training' of {always.function} out: it then drops in training only"
    imports = any(isinstance(one, t.Import) and one.is_library for one in ctx.tree)
    return f"{'' if imports else 'write at the top: import nn; '}nn.dropout(x, rate={rate}) drops in training only"


def _warn_of_modes(
    ctx: Analysis, feeds: Mapping[Ref, Feed], own: Container[Ref], refs: Iterable[Ref], what: str,
    statement: t.Statement,
) -> None:  # fmt: skip
    """Warn where what is fed to all of a training's body has layers train in a statement that takes no step."""
    graph, found = ctx.graph, {}
    for ref, feed in feeds.items():
        node = graph.nodes[ref.node]
        type, default = node.outputs[ref.output], node.args.get("default")
        is_switch = type.dtype == BOOL and ref in graph.modes
        off = Value(False) if is_switch else Value(default.value) if isinstance(default, Literal) else None
        if ref in own or type.rank != 0 or feed.value == off:
            continue
        reached = graph.reach([one for one in refs if one != ref], frozenset(feeds) - {ref})
        deciding = graph.reach(mode for mode in graph.modes if mode.node in reached)
        ctx.spend(len(reached) + len(deciding), statement.span)
        if ref.node in deciding:
            found[feed] = "..." if off is None else "false" if off.value is False else off.value
    if found:
        notes = (Note("line {line} feeds it for all of the body", next(iter(found)).origin.span),)
        help = "write here: with " + ", ".join(f"{feed.text} = {value}" for feed, value in found.items())
        names = " and ".join(f"'{feed.text}'" for feed in found)
        ctx.bag.add(ctx.diagnostic(FED_TO_ALL, statement.span, notes, help, what=what, names=names))
