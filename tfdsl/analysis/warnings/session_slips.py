"""Finds mistakes in the session half: changes of variables that run twice, never or without effect, and feeds that
nothing needs.

Input: the finished program. Output: warnings, each with the correct code.
"""

from collections.abc import Iterable, Mapping

from ...diagnostics import (
    AGAIN_AFTER,
    FEED_UNNEEDED,
    RUN_AGAIN,
    SAME_LOSS,
    STEP_TWICE,
    TRAINED_BELOW,
    TRAINED_BY_BOTH,
    UNRUN,
    UNTAKEN,
    Diagnostic,
    Note,
)
from ...ops.named import ASSIGN, IDENTITY
from ...program import (
    Feed,
    Graph,
    If,
    Log,
    Node,
    Print,
    Program,
    Ref,
    Run,
    Session,
    Statement,
    Train,
    fetches_of,
    places,
    reach,
    refs_of,
    walk,
    written,
)
from ...source import Span
from ..context import Analysis, GraphBuilder
from ..executed import Kind
from ..gradient_flow import is_one_loss, trained
from ..variable_names import shown_variables


def warn_sessions(ctx: Analysis, program: Program) -> None:
    for session in program.sessions:
        graph = program.graph(session.graph)
        _doubt_repeated(ctx, graph, session.body)
        _doubt_after(ctx, graph, session.body)
        _doubt_feeds(ctx, graph, session)
        _doubt_trained_below(ctx, graph, session)
        for statement in places(session.body):
            if isinstance(statement, Train):
                _doubt_steps(ctx, graph, statement)
                _doubt_rivals(ctx, graph, statement)
                _doubt_doubled(ctx, graph, statement)


def _fed(statement: Statement) -> frozenset[Ref]:
    return frozenset(feed.ref for feed in statement.uses().feeds)


def changes(ctx: Analysis, graph: Graph, statement: Statement) -> list[int]:
    """The nodes that change variables in an execution, whichever branches and loops run."""
    executed = ctx.executed(graph, statement.uses().executes, statement.origin.span, _fed(statement))
    return executed.all(Kind.CHANGE)


# --- changes that run twice -------------------------------------------------------------------


def _doubt_repeated(
    ctx: Analysis, graph: Graph, body: tuple[Statement, ...], around: Mapping[int, Run] | None = None
) -> None:
    """Warn of a statement in a training that repeats a change made by a `run` of the body.

    Outside a training, running an assignment and then printing it is probably intended.
    """
    ran, inside = dict(around or {}), body if around is not None else ()
    merged: dict[int, list[Run]] = {}  # the runs of the body that change a variable in the same way
    for run in (one for one in inside if isinstance(one, Run)):
        for id in changes(ctx, graph, run):
            merged.setdefault(id, []).append(run)
    for one in inside:
        if isinstance(one, Run):
            made = changes(ctx, graph, one)
            _doubt_rerun(ctx, graph, one, [id for id in made if id in ran], ran, around or {}, merged)
            ran = {**dict.fromkeys(made, one), **ran}
    for one in body:
        uses = one.uses()
        if uses.body:
            _doubt_repeated(ctx, graph, uses.body, ran)
        elif uses.executes and not isinstance(one, Run):
            _doubt_shown(ctx, graph, one, ran)


def _by_itself(graph: Graph, run: Run) -> bool:
    """Whether a training takes this step automatically at the end of each iteration."""
    return any(graph.nodes[ref.node].is_step and graph.nodes[ref.node].origin == run.origin for ref in run.refs)


def _doubt_rerun(
    ctx: Analysis, graph: Graph, second: Run, again: list[int], ran: Mapping[int, Run], around: Mapping[int, Run],
    merged: Mapping[int, list[Run]],
) -> None:  # fmt: skip
    """Warn of a `run` that repeats a step, or repeats a change that another `run` names, because a tensor it names
    waits for it. Two `run` statements that name the same node are taken as intended. `around` has the runs outside
    an `every`, `merged` all runs of the body for each change."""
    if _by_itself(graph, second):
        return
    for id in reversed(again):
        first = ran[id]
        if _by_itself(graph, first):
            continue
        both = graph.reach(set(first.refs) & set(second.refs))
        ctx.spend(len(both), second.origin.span)
        if id in both or not _matters(graph, id, (*first.refs, *second.refs)):
            continue
        line = first.origin.span.line
        if {ref.node for ref in second.refs} <= graph.reach(first.refs):
            help = f"leave this 'run' out: line {line} runs all of it"
        elif id in around:
            help = _instead(graph, second, second.refs, id, f"below line {line}")
        elif {ref.node for ref in first.refs} <= graph.reach(second.refs):
            help = f"write {_text(second)} in place of '{_text(first)}' on line {line}, for which it waits"
        else:
            together = merged[id]
            if second is not together[1]:
                return  # the first two are reported, with the others
            names = [_text(one).removeprefix("run ") for one in together]
            count = {2: "two", 3: "three"}.get(len(names), f"{len(names)}")
            help = f"write one 'run' in place of the {count}: run {', '.join(names)}"
        _report_again(ctx, graph, second, id, first, help)
        return


def _text(run: Run) -> str:
    """A `run` as the program writes it, without its feeds."""
    return run.origin.span.one_line.partition(" with ")[0]


def _matters(graph: Graph, id: int, named: Iterable[Ref]) -> bool:
    """Whether repeating a change matters to the nodes that wait for it. Inputs of other values may well change
    variables each time, as batch normalisation does."""
    node = graph.nodes[id]
    if node.is_step:
        return True
    is_named = any(ref.node == id for ref in named)
    given = [ref for name, arg in node.args.items() if name != "ref" for ref in refs_of(arg)]
    is_settled = node.row is ASSIGN and graph.reach(given).isdisjoint(written(graph.nodes, node))
    return is_named and not is_settled


def _doubt_shown(ctx: Analysis, graph: Graph, shown: Statement, ran: Mapping[int, Run]) -> None:
    again = [id for id in changes(ctx, graph, shown) if id in ran] if ran else []
    named = _shown(graph, shown)
    again = [
        id for id in again
        if id in {ref.node for ref in named}
        or (_matters(graph, id, ran[id].refs) and not _by_itself(graph, ran[id]))
    ]  # fmt: skip
    if again:
        first = ran[again[-1]]
        help = _instead(graph, shown, named, again[-1], f"below line {first.origin.span.line}")
        _report_again(ctx, graph, shown, again[-1], first, help)


def _doubt_after(ctx: Analysis, graph: Graph, body: tuple[Statement, ...]) -> None:
    """Warn of a statement after a training that repeats a step or a change of its iterations. A program that also
    runs the change by itself after the training repeats it on purpose."""
    _after(ctx, graph, body, {})


def _after(
    ctx: Analysis, graph: Graph, body: tuple[Statement, ...], ran: Mapping[int, tuple[Run, int]]
) -> dict[int, tuple[Run, int]]:
    """The changes that trainings have made once the statements are done, by node, each with the line of its training.
    `ran` are those before."""
    ran = dict(ran)
    for one in body:
        if isinstance(one, Train):
            line = one.origin.span.line
            runs = [inner for inner in walk(one.body) if isinstance(inner, Run)]
            ran |= {id: (run, line) for run in runs for id in changes(ctx, graph, run)}
        elif isinstance(one, Run):
            for id in changes(ctx, graph, one):
                ran.pop(id, None)
        elif ran and one.uses().executes:
            again = [id for id in changes(ctx, graph, one) if id in ran and _matters(graph, id, ran[id][0].refs)]
            if again:
                name = graph.nodes[again[-1]].name
                is_step = any(graph.nodes[id].is_step for id in again)
                shown = f"'{name}'" if name else "a change"
                does = "takes another step" if is_step else f"runs {shown} again"
                help = _instead(graph, one, _shown(graph, one), again[-1], "after the training")
                what, line = f"'{one.word}'", ran[again[-1]][1]
                ctx.warn(AGAIN_AFTER, one.origin, help=help, what=what, does=does, line=line)
        if isinstance(one, If):
            branches = [_after(ctx, graph, branch, ran) for branch in (one.then, one.otherwise)]
            ran = {id: found for branch in branches for id, found in branch.items()}
    return ran


def _shown(graph: Graph, statement: Statement) -> list[Ref]:
    """The tensors that a statement shows: the ones it names, or the values of the summaries it logs."""
    if isinstance(statement, Log):
        return [ref for summary in statement.uses().executes for ref in graph.nodes[summary.node].inputs()]
    return statement.uses().executes


def _instead(graph: Graph, shown: Statement, named: Iterable[Ref], id: int, where: str) -> str:
    """The code that shows the new values without repeating a change."""
    nodes, write = graph.nodes, "summarise" if isinstance(shown, Log) else "write"
    variables = " and ".join(nodes[one].shown for one in written(nodes, nodes[id]))
    waiting = [ref.node for ref in dict.fromkeys(named) if id in graph.reach([ref])]
    if id in waiting:
        return f"{write} {variables} instead: it has the new value {where}"
    inputs = [nodes[ref.node] for one in waiting if nodes[one].row is IDENTITY for ref in nodes[one].inputs()]
    sources = [one.name for one in inputs if one.name]
    if len(sources) == len(inputs) == len(waiting):
        return f"{write} {' and '.join(dict.fromkeys(sources))} instead: it is the new value {where}"
    names = " and ".join(dict.fromkeys(nodes[one].name or "this" for one in waiting))
    change = nodes[id].name or "the step"
    if id in reach(nodes, {}, named):
        return f"make {names} of {variables} instead of {change}: it sees the new values {where}"
    return f"make {names} outside 'after {nodes[id].name or '...'}': it sees the new values {where}"


def _report_again(ctx: Analysis, graph: Graph, statement: Statement, id: int, first: Run, help: str) -> None:
    node, line = graph.nodes[id], first.origin.span.line
    name = f"'{node.name}'" if node.name else f"the {node.op} of line {node.origin.span.line}"
    notes = (Note(f"{name} is from line {{line}}", node.origin.span),) if node.name else ()
    ctx.warn(RUN_AGAIN, statement.origin, *notes, help=help, what=f"'{statement.word}'", name=name, line=line)


def _doubt_steps(ctx: Analysis, graph: Graph, training: Train) -> None:
    """Warn of an explicit step in a body whose training takes the steps of all optimizers at its end."""
    steps = [one.refs[0].node for one in training.body if isinstance(one, Run) and _by_itself(graph, one)]
    for one in walk(training.body) if steps else ():
        taken = [id for id in steps if id in changes(ctx, graph, one)]
        if not taken or (isinstance(one, Run) and _by_itself(graph, one)):
            continue
        if isinstance(one, Run):
            help = (
                f"write {_text(one)} in the body itself, not in an 'every': without it the training takes the step "
                "automatically; to take only this one, write in the body: run no_op()"
            )
        else:
            names, how = _step_names(ctx.graphs[graph.name], graph)
            new = _instead(graph, one, _shown(graph, one), taken[0], "below that")
            help = f"write in the body: run {', '.join(names)}; and {new}{how}"
        for id in taken:
            note = Note("the 'optimize' is on line {line}", graph.nodes[id].origin.span)
            ctx.warn(STEP_TWICE, one.origin, note, help=help)


# --- changes that never run -------------------------------------------------------------------


def idle_writes(graph: Graph, bodies: list[tuple[Statement, ...]]) -> frozenset[int]:
    """The nodes that would change variables, but that no session of their graph executes."""
    taken = graph.reach(ref for body in bodies for one in walk(body) for ref in one.uses().executes) if bodies else ()
    writes = (node for node in graph.nodes.values() if bodies and node.is_write and node.id not in taken)
    # What a layer of a library keeps, such as running means, is no reason to run its output.
    return frozenset(node.id for node in writes if not node.origin.span.source.is_library)


def unrun(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, bodies: list[tuple[Statement, ...]], writes: frozenset[int],
    name: str, span: Span, refs: Iterable[Ref],
) -> Diagnostic | None:  # fmt: skip
    """A warning for an unused value that would change variables, by one of the `idle_writes`. None if it would change
    none."""
    if not writes:
        return None
    nodes, reached = graph.nodes, graph.reach(refs)
    ctx.spend(len(reached), span)
    idle = [nodes[id] for id in sorted(reached & writes)]
    variables = list(dict.fromkeys(id for node in idle for id in written(nodes, node)))
    if not variables:
        return None
    shown = name or "update"
    if idle[-1].origin.chain:
        how = f"return it, and run it; or make the returned value in: after {shown}:"
    else:
        how = _how_to_run(ctx, builder, graph, bodies, shown, reached)
    if not name:
        how = f"give it a name, such as {shown} = ..., then {how}"
    details = {"name": f"'{name}'" if name else "this", "variables": " and ".join(nodes[id].shown for id in variables)}
    return Diagnostic(UNRUN, span, details, help=how, chain=idle[-1].origin.chain)


def _how_to_run(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, bodies: list[tuple[Statement, ...]], name: str,
    reached: set[int],
) -> str:  # fmt: skip
    """The code for a session that runs a node in every iteration of its training."""
    nodes = graph.nodes
    training = next((one for body in bodies for one in places(body) if isinstance(one, Train)), None)
    if training is None:
        return f"write in the session: run {name}"
    where = f"in the body of the 'train' on line {training.origin.span.line}"
    runs = [one for one in training.body if isinstance(one, Run)]
    if any(_by_itself(graph, one) for one in runs):
        step_names, how = _step_names(builder, graph)
        steps = [ref.node for ref in builder.optimizers]
        others = [name for id, name in zip(steps, step_names, strict=True) if id not in reached]
        if len(others) == len(steps) and any(
            id in reached for step in steps for id in trained(ctx, nodes, nodes[step])
        ):
            return f"write {where}: run {', '.join(others)}, and on the line below it: run {name}{how}"
        return f"write {where}: run {', '.join([name, *others])}{how if others else ''}"
    for run in runs:
        within = [ref for ref in run.refs if ref.node in reached]
        own = [feed for feed in run.feeds if run.origin.span.holds(feed.origin.span)]
        if within and len(within) == len(run.refs) and not own:
            return f"{where}, instead of {_text(run)}, write: run {name}"
        if within:
            names = " and ".join(nodes[ref.node].name or "what it waits for" for ref in within)
            return f"{where}, in '{_text(run)}', write {name} instead of {names}"
    return f"write {where}: run {name}"


def untaken(
    ctx: Analysis, builder: GraphBuilder, graph: Graph, step: Node, bodies: list[tuple[Statement, ...]], taken: set[int]
) -> None:
    """Warn of an optimizer step that is not among those that a session takes. If a `run` takes its place in a
    training, the warning is there."""
    training = next((one for body in bodies for one in places(body) if isinstance(one, Train)), None)
    runs = [one for one in training.body if isinstance(one, Run)] if training else []
    run = next((one for one in runs if not _by_itself(graph, one)), None)
    if run is None:
        ctx.warn(UNTAKEN, step.origin, which="this 'optimize'")
        return
    names, how = _step_names(builder, graph)
    left = [name for ref, name in zip(builder.optimizers, names, strict=True) if ref.node not in taken]
    line = step.origin.span.line
    note = Note("the 'optimize' is on line {line}", step.origin.span)
    which = f"the 'optimize' on line {line}: this 'run' takes its place"
    help = f"write: {', '.join([_text(run), *left])}{how}; or take the 'run' out of the body, or the 'optimize'"
    ctx.warn(UNTAKEN, run.origin, note, help=help, which=which)


def _step_names(builder: GraphBuilder, graph: Graph) -> tuple[list[str], str]:
    """The names of the optimizer steps, and how to name those that have none."""
    steps = [ref.node for ref in builder.optimizers]
    named = {ref.node: bound for bound, _, refs in builder.bound for ref in refs if bound}
    names = [named.get(id, "step" if len(steps) == 1 else f"step_{at}") for at, id in enumerate(steps, 1)]
    unnamed = [name for id, name in zip(steps, names, strict=True) if id not in named]
    more = ", and so on" if unnamed[1:] else ""
    return names, f"; and name the step: optimize ... as {unnamed[0]}{more}" if unnamed else ""


# --- two optimizers on the same variables -----------------------------------------------------


def _doubt_rivals(ctx: Analysis, graph: Graph, training: Train) -> None:
    """Warn of optimizers with different losses that train the same variables, one of them by default. A program that
    lists the variables of both intends it, and two tasks with their own variables may share others."""
    taken = dict.fromkeys(id for one in walk(training.body) for id in changes(ctx, graph, one))
    steps = [graph.nodes[id] for id in sorted(taken) if graph.nodes[id].is_step]
    sets = [set(trained(ctx, graph.nodes, node)) for node in steps]
    for at, second in enumerate(steps):
        for first, own in zip(steps[:at], sets):
            both, named = own & sets[at], [node for node in (first, second) if "wrt" in node.args]
            if is_one_loss(first, second) or both not in (own, sets[at]) or len(named) == 2 or not both:
                continue
            doubted, other = (first, second) if named == [second] else (second, first)
            names, line = shown_variables(graph.items, sorted(both)), other.origin.span.line
            note = Note("the other 'optimize' is on line {line}", other.origin.span)
            help = _each_its_own(graph, both, (own | sets[at]) - both if named else set())
            ctx.warn(TRAINED_BY_BOTH, doubted.origin, note, help=help, names=names, line=line)
            break


def _doubt_doubled(ctx: Analysis, graph: Graph, training: Train) -> None:
    """Warn of two optimizers with one loss if a training takes the steps of both automatically for the same variables.
    A program that lists the variables of both, or that runs both by name, intends it."""
    runs = [one for one in training.body if isinstance(one, Run) and _by_itself(graph, one)]
    steps = [graph.nodes[one.refs[0].node] for one in runs]
    for at, second in enumerate(steps):
        own = set(trained(ctx, graph.nodes, second))
        for first in steps[:at]:
            both = own.intersection(trained(ctx, graph.nodes, first))
            are_listed = "wrt" in first.args and "wrt" in second.args
            if is_one_loss(first, second) and both and not are_listed:
                names, line = shown_variables(graph.items, sorted(both)), first.origin.span.line
                builder = ctx.graphs[graph.name]
                named, how = _step_names(builder, graph)
                named = [named[builder.optimizers.index(Ref(node.id))] for node in (first, second)]
                help = f"remove one of the two; or write in the body: run {named[0]}, and below it: run {named[1]}{how}"
                ctx.warn(SAME_LOSS, second.origin, help=help, names=names, line=line)
                break


def _each_its_own(graph: Graph, both: set[int], left: set[int]) -> str:
    """How to write which optimizer trains which variables. `left` has the variables that remain if the other
    optimizer lists its own."""
    named = {name: {ref.node for ref in refs_of(one.value)} for name, one in graph.names.items() if name[0] != "_"}
    single = {min(nodes): name for name, nodes in named.items() if len(nodes) == 1}
    if left:
        help, listed = "write here which variables it trains", [single.get(id, "") for id in sorted(left)]
        names = next((name for name, nodes in named.items() if nodes == left), "")
        names = names or (", ".join(listed) if all(listed) else "")
    else:
        help, listed = "write in both which variables each trains", [single[id] for id in sorted(both) if id in single]
        names = next((name for name, nodes in named.items() if nodes and nodes < both), "")
        names = listed[0] if listed else names
    help += f": optimize ... with ... wrt {names or '...'}"
    sources = [graph.nodes[id].origin.span.source for id in left or both]
    if names and left:
        help += "; or list all of them, if that is meant"
    elif not names and any(source.is_library for source in sources):
        help += (
            "; a variable of an nn layer has no name: write the layer by hand in a def that returns its variables, "
            "as in return x @ kernel, kernel"
        )
    elif not names:
        help += "; a variable made in a def has a name if the def returns it, as in return scores, kernel"
    return help


# --- feeds ------------------------------------------------------------------------------------


def _doubt_feeds(ctx: Analysis, graph: Graph, session: Session) -> None:
    """Warn of feeds that nothing in their statement needs."""
    found: dict[Span, tuple[Feed, str, bool]] = {}  # and whether anything needs it, in any iteration of a `for`
    for one in walk(session.body):
        own = [feed for feed in one.uses().feeds if one.origin.span.holds(feed.origin.span)]
        for feed in own:
            known = found.get(feed.origin.span)
            is_needed = (known is not None and known[2]) or _is_needed(ctx, graph, one, feed.ref)
            found[feed.origin.span] = feed, _what(one), is_needed
    for feed, what, is_needed in found.values():
        if not is_needed:
            ctx.warn(FEED_UNNEEDED, feed.origin, what=what, name=feed.text)


def _doubt_trained_below(ctx: Analysis, graph: Graph, session: Session) -> None:
    """Warn of a step that trains variables below a tensor that is fed: its value is not made of them."""
    told: set[tuple[Ref, int]] = set()
    for one in walk(session.body):
        cut = [feed for feed in one.uses().feeds if not graph.nodes[feed.ref.node].is_source]
        steps = [graph.nodes[ref.node] for ref in one.uses().executes if graph.nodes[ref.node].is_step] if cut else []
        for feed, step in ((feed, step) for feed in cut for step in steps):
            below = graph.reach([feed.ref])
            ctx.spend(len(below), feed.origin.span)
            both = [id for id in trained(ctx, graph.nodes, step) if id in below]
            if both and (feed.ref, step.id) not in told:
                told.add((feed.ref, step.id))
                names = shown_variables(graph.items, both)
                ctx.warn(TRAINED_BELOW, feed.origin, Note("the optimize of line {line} trains them", step.origin.span),
                         name=feed.text, variables=names)  # fmt: skip


def _is_needed(ctx: Analysis, graph: Graph, statement: Statement, ref: Ref) -> bool:
    """Whether a statement needs a tensor that it feeds."""
    refs, fed = statement.uses().executes, _fed(statement)
    if ref == graph.training or ref in refs:
        return True
    if ref.node not in ctx.executed(graph, refs, statement.origin.span, fed - {ref}):
        return False
    if len(graph.nodes[ref.node].outputs) == 1:
        return True
    reached = graph.reach(refs, fed)  # it may need another output of the node
    ctx.spend(len(reached), statement.origin.span)
    return any(ref in (*graph.nodes[id].inputs(), *graph.controls(graph.nodes[id])) for id in reached)


def _what(statement: Statement) -> str:
    if isinstance(statement, Print):
        shown = [item.text for item in statement.items if fetches_of(item.value)]
        if len(shown) == 1 and len(shown[0]) <= 40:
            return shown[0]
    return f"the result of this '{statement.word}'"
