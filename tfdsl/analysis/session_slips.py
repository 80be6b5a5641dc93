"""Slips in the session half: changes of variables that run twice, never, or for nothing, and feeds that nothing needs.

Input: the finished program. Output: warnings, each with the way to write what was meant.
"""

from collections.abc import Iterable, Mapping

from ..diagnostics import (
    FEED_UNNEEDED,
    RUN_AGAIN,
    TRAINED_BY_BOTH,
    TRAINED_LOST,
    UNRUN,
    Diagnostic,
    Message,
    Note,
)
from ..executed import executed
from ..program import (
    Checkpoint,
    Every,
    Expect,
    Export,
    Feed,
    Graph,
    Init,
    Log,
    LogTo,
    Node,
    Print,
    Program,
    Ref,
    Restore,
    Run,
    Save,
    Session,
    Set,
    Statement,
    Stop,
    Train,
    fetches_of,
    walk,
)
from ..source import Span
from .context import Analysis, GraphBuilder
from .gradient_flow import trained
from .order import is_write, written


def warn_sessions(ctx: Analysis, program: Program) -> None:
    for session in program.sessions:
        graph = program.graph(session.graph)
        _doubt_repeated(ctx, graph, session.body)
        _doubt_lost(ctx, graph, session)
        _doubt_feeds(ctx, graph, session)
        for statement in session.body:
            if isinstance(statement, Train):
                _doubt_rivals(ctx, graph, statement)


def _report(ctx: Analysis, message: Message, statement: Statement, *notes: Note, help: str = "", **details) -> None:
    origin = statement.origin
    ctx.bag.add(Diagnostic(message, origin.span, details, notes, help, origin.chain))


_WORDS = {Print: "print", Expect: "expect", Stop: "stop when", Log: "log", Set: "set", Run: "run"}


def _fed(statement: Statement) -> frozenset[Ref]:
    return frozenset(feed.ref for feed in statement.uses().feeds)


def _changes(ctx: Analysis, graph: Graph, statement: Statement) -> list[int]:
    """The nodes by which an execution changes variables, whatever branches and loops in the graph do."""
    reached = graph.reach(executed(statement), _fed(statement))
    ctx.spend(len(reached), statement.origin.span)
    outside = (item for item in graph.items if isinstance(item, Node) and item.id in reached)
    return [node.id for node in outside if node.op == "optimize" or is_write(node)]


# --- changes that run twice -------------------------------------------------------------------


def _doubt_repeated(
    ctx: Analysis, graph: Graph, body: tuple[Statement, ...], around: Mapping[int, Run] | None = None
) -> None:
    """Warn of a statement in a training that shows a change, and so makes it again, after a `run` of the body.

    Outside of one, somebody who runs an assignment and prints it next may well mean both.
    """
    ran = dict(around or {})
    for one in body if around is not None else ():
        if isinstance(one, Run):
            ran = {**dict.fromkeys(_changes(ctx, graph, one), one), **ran}
    for one in body:
        match one:
            case Train() | Every():
                _doubt_repeated(ctx, graph, one.body, ran)
            case Print() | Expect() | Stop() | Log() | Set():
                _doubt_shown(ctx, graph, one, ran)
            case Init() | Restore() | Run() | Save() | LogTo() | Export() | Checkpoint():
                pass
            case _:
                raise AssertionError(one)


def _doubt_shown(ctx: Analysis, graph: Graph, shown: Statement, ran: Mapping[int, Run]) -> None:
    if not ran:
        return
    nodes, named = graph.nodes, {ref.node for ref in executed(shown)}
    again = [id for id in _changes(ctx, graph, shown) if id in ran]
    # What other values are made from may well change variables each time, as batch normalisation does.
    again = [id for id in again if id in named or (nodes[id].op == "optimize" and ran[id].origin != nodes[id].origin)]
    if not again:
        return
    node = nodes[again[-1]]
    line = ran[node.id].origin.span.line
    name = f"'{node.name}'" if node.name else f"the {node.op} of line {node.origin.span.line}"
    variables = " and ".join(nodes[id].name for id in written(nodes, node))
    if node.op == "optimize":
        help = "show what does not wait for the step: a statement behind the 'run' sees the new values as it is"
    else:
        help = f"write {variables} instead, which has the value that line {line} gives it"
    note = Note(f"{name} is from line {{line}}", node.origin.span)
    notes = (note,) if node.name else ()
    _report(ctx, RUN_AGAIN, shown, *notes, help=help, what=f"'{_WORDS[type(shown)]}'", name=name, line=line)


# --- changes that never run -------------------------------------------------------------------


def unrun(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, program: Program, name: str, span: Span, refs: Iterable[Ref]
) -> Diagnostic | None:
    """A warning of a value that nothing uses although it would change variables; None if it would change none."""
    bodies = [session.body for session in program.sessions if session.graph == graph.name]
    if not bodies:
        return None
    nodes, reached = graph.nodes, graph.reach(refs)
    ctx.spend(len(reached), span)
    taken = graph.reach(ref for body in bodies for one in walk(body) for ref in executed(one))
    idle = [nodes[id] for id in sorted(reached - taken) if is_write(nodes[id])]
    variables = list(dict.fromkeys(id for node in idle for id in written(nodes, node)))
    if not variables:
        return None
    shown = name or "update"
    if idle[-1].origin.chain:
        how = f"return it, and run it; or make what is returned in: after {shown}:"
    else:
        how = _how_to_run(ctx, builder, graph, bodies, shown, reached)
    if not name:
        how = f"give it a name, such as {shown} = ..., then {how}"
    details = {"name": f"'{name}'" if name else "this", "variables": " and ".join(nodes[id].name for id in variables)}
    return Diagnostic(UNRUN, span, details, help=how, chain=idle[-1].origin.chain)


def _how_to_run(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, bodies: list[tuple[Statement, ...]], name: str,
    reached: set[int],
) -> str:  # fmt: skip
    """What to write in a session so that a node runs at every turn of its training."""
    nodes = graph.nodes
    training = next((one for body in bodies for one in body if isinstance(one, Train)), None)
    if training is None:
        return f"write in the session: run {name}"
    where = f"write in the body of the 'train' on line {training.origin.span.line}:"
    steps = [ref.node for ref in builder.optimizers]
    runs = [one for one in training.body if isinstance(one, Run)]
    by_itself = [one for one in runs if one.refs[0].node in steps and one.origin == nodes[one.refs[0].node].origin]
    if not by_itself:
        return f"{where} run {name}"
    named = {ref.node: bound for bound, _, refs in builder.bound for ref in refs if bound}
    step_names = [named.get(id, "step" if len(steps) == 1 else f"step_{at}") for at, id in enumerate(steps, 1)]
    help = f"{where} run {', '.join([name, *step_names])}"
    if any(id in reached for step in steps for id in trained(ctx, nodes, nodes[step])):
        help = f"{where} run {', '.join(step_names)}, and on the line below it: run {name}"
    unnamed = [step for id, step in zip(steps, step_names, strict=True) if id not in named]
    if unnamed:
        help += f"; and name the step: optimize ... as {unnamed[0]}" + (", and so on" if unnamed[1:] else "")
    return help


# --- changes for nothing ----------------------------------------------------------------------


def _doubt_lost(ctx: Analysis, graph: Graph, session: Session) -> None:
    """Warn of a statement that overwrites trained variables before anything looks at them."""
    lost: dict[int, Train] = {}
    for one in session.body:
        match one:
            case Train():
                own = {id for run in walk(one.body) if isinstance(run, Run) for id in _changed(ctx, graph, run)}
                looks = any(isinstance(s, (Print, Expect, Stop, Log, Save, Checkpoint)) for s in walk(one.body))
                lost = {} if looks else {**lost, **dict.fromkeys(own, one)}
            case Init(variables=refs):
                _doubt_overwritten(ctx, one, lost, None if refs is None else {ref.node for ref in refs})
                lost = {}
            case Restore(pairs=pairs):
                _doubt_overwritten(ctx, one, lost, None if pairs is None else {ref.node for ref, _ in pairs})
                lost = {}
            case LogTo():
                pass
            case Print() | Expect() | Log() | Save() | Export() | Run() | Set():
                lost = {}
            case _:
                raise AssertionError(one)


def _changed(ctx: Analysis, graph: Graph, run: Run) -> Iterable[int]:
    for id in _changes(ctx, graph, run):
        node = graph.nodes[id]
        yield from trained(ctx, graph.nodes, node) if node.op == "optimize" else written(graph.nodes, node)


def _doubt_overwritten(ctx: Analysis, one: Statement, lost: Mapping[int, Train], overwritten: set[int] | None) -> None:
    if lost and (overwritten is None or set(lost) <= overwritten):
        line = next(iter(lost.values())).origin.span.line
        _report(ctx, TRAINED_LOST, one, what="init" if isinstance(one, Init) else "restore", line=line)


# --- two optimizers on the same variables -----------------------------------------------------


def _doubt_rivals(ctx: Analysis, graph: Graph, training: Train) -> None:
    """Warn of optimizers with different losses that train the same variables by default."""
    taken = dict.fromkeys(id for one in walk(training.body) for id in _changes(ctx, graph, one))
    steps = [graph.nodes[id] for id in sorted(taken) if graph.nodes[id].op == "optimize"]
    steps = [node for node in steps if "wrt" not in node.args]
    sets = [set(trained(ctx, graph.nodes, node)) for node in steps]
    for at, second in enumerate(steps):
        for first, own in zip(steps[:at], sets):
            both = own & sets[at]
            if second.args["loss"] == first.args["loss"] or both not in (own, sets[at]):
                continue
            names = [graph.nodes[id].name for id in sorted(both)]
            shown = " and ".join(names if len(names) <= 4 else [*names[:3], "others"])
            note = Note("the other 'optimize' is on line {line}", first.origin.span)
            _report(ctx, TRAINED_BY_BOTH, second, note, names=shown, line=first.origin.span.line, first=names[0])
            break


# --- feeds ------------------------------------------------------------------------------------


def _doubt_feeds(ctx: Analysis, graph: Graph, session: Session) -> None:
    """Warn of feeds of a statement that nothing it computes needs."""
    found: dict[Span, tuple[Feed, str, bool]] = {}  # and whether something needs it, in any turn of a `for`
    for one in walk(session.body):
        own = [feed for feed in one.uses().feeds if _holds(one.origin.span, feed.origin.span)]
        needed = _needed(ctx, graph, one) if own else ()
        for feed in own:
            is_needed = (
                feed.ref in needed or feed.ref == graph.training or found.get(feed.origin.span, ("", "", False))[2]
            )
            found[feed.origin.span] = feed, _what(one), is_needed
    for span, (feed, what, is_needed) in found.items():
        if not is_needed:
            details = {"what": what, "name": feed.text}
            ctx.bag.add(Diagnostic(FEED_UNNEEDED, span, details, chain=feed.origin.chain))


def _holds(outer: Span, inner: Span) -> bool:
    return outer.source == inner.source and outer.start <= inner.start < inner.end <= outer.end


def _needed(ctx: Analysis, graph: Graph, statement: Statement) -> set[Ref]:
    """What a statement names, and all that this is made from up to what it feeds."""
    refs = executed(statement)
    needed, reached = set(refs), graph.reach(refs, _fed(statement))
    ctx.spend(len(reached), statement.origin.span)
    for node in (graph.nodes[id] for id in reached):
        needed.update(() if node.is_variable else node.inputs(), graph.controls(node))
    return needed


def _what(statement: Statement) -> str:
    if isinstance(statement, Print):
        shown = [item.text for item in statement.items if any(fetches_of(item.value))]
        if len(shown) == 1 and len(shown[0]) <= 40:
            return shown[0]
    return f"what this '{_WORDS[type(statement)]}' computes"
