"""Follows trained values: warns if a training is overwritten, saved before it begins, or forgotten by the session
that should show its result, and if a variable is never trained.

Input: the finished program. Output: warnings, each with the correct code.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from ...diagnostics import SAVED_UNTRAINED, SHOWN_UNTRAINED, TRAINED_LOST, WHOLE_UNTRAINED
from ...ops.named import CAST
from ...program import (
    Apply,
    BatchField,
    Checkpoint,
    Counter,
    Every,
    Export,
    Graph,
    If,
    Init,
    Keep,
    PlanExpr,
    Program,
    Ref,
    Restore,
    Run,
    Save,
    Session,
    Statement,
    Template,
    Train,
    from_place,
    known_text,
    places,
    walk,
    written,
)
from ..context import Analysis
from ..gradient_flow import trained
from ..gradient_paths import gradient_upstream
from ..variable_names import shown_variables
from .session_slips import changes


def warn_trained(ctx: Analysis, program: Program) -> None:
    for graph in program.graphs:
        sessions = [session for session in program.sessions if session.graph == graph.name]
        for session in sessions:
            _doubt_lost(ctx, graph, session.body, {}, session.initialise)
            _doubt_saved(ctx, graph, session, sessions)
            for statement in places(session.body):
                if isinstance(statement, Train):
                    _doubt_reset(ctx, graph, statement)
        _doubt_shown(ctx, graph, sessions)
        _doubt_whole(ctx, graph, sessions)


def _changed(ctx: Analysis, graph: Graph, statement: Statement) -> Iterator[int]:
    """The variables that an execution changes."""
    for id in changes(ctx, graph, statement):
        node = graph.nodes[id]
        yield from trained(ctx, graph.nodes, node) if node.is_step else ()
        yield from written(graph.nodes, node)


def _trained(ctx: Analysis, graph: Graph, statement: Statement) -> set[int]:
    """The variables that optimizer steps change in an execution."""
    steps = [graph.nodes[id] for id in changes(ctx, graph, statement) if graph.nodes[id].is_step]
    return {id for step in steps for id in trained(ctx, graph.nodes, step)}


# --- overwritten ------------------------------------------------------------------------------


def _doubt_lost(
    ctx: Analysis, graph: Graph, body: tuple[Statement, ...], lost: dict[int, Train], is_whole: bool
) -> dict[int, Train]:
    """Warn of a statement that overwrites trained variables before anything reads them. `lost` has those that nothing
    has read yet, before the statements and, as the result, after them. `is_whole` says whether every variable has a
    value."""
    for one in body:
        uses = one.uses()
        if isinstance(one, If):
            lost = {} if _uses(ctx, graph, one, lost) else lost
            first, second = (_doubt_lost(ctx, graph, branch, lost, is_whole) for branch in (one.then, one.otherwise))
            lost = {
                id: training for id, training in {**first, **second}.items()
                if (id in first and id in second) or training is not lost.get(id)
            }  # fmt: skip
        elif isinstance(one, Train):
            own = {id for run in walk(one.body) if isinstance(run, Run) for id in _changed(ctx, graph, run)}
            looks = any(not isinstance(inner, (Run, Every)) for inner in walk(one.body))
            lost = {} if looks else {**lost, **dict.fromkeys(own, one)}
        elif uses.overwrites != ():
            given = None if uses.overwrites is None else {ref.node for ref in uses.overwrites}
            _doubt_overwritten(ctx, one, lost, given, is_whole)
            lost = lost if given is not None and given.isdisjoint(lost) else {}
            is_whole = is_whole or given is None
        elif _uses(ctx, graph, one, lost):
            lost = {}
    return lost


def _uses(ctx: Analysis, graph: Graph, one: Statement, variables: Mapping[int, object]) -> bool:
    """Whether a statement itself reads, sets or keeps some of these variables."""
    uses = one.uses()
    stored = {ref.node for pairs in uses.stores for ref, _ in pairs or ()}
    if not variables or None in uses.stores or not stored.union(_ids(uses.sets)).isdisjoint(variables):
        return bool(variables)
    executed = ctx.executed(graph, [*uses.executes, *uses.exports], one.origin.span)
    return any(id in executed for id in variables)


def _doubt_overwritten(
    ctx: Analysis, one: Statement, lost: Mapping[int, Train], overwritten: set[int] | None, is_whole: bool
) -> None:
    if lost and (overwritten is None or set(lost) <= overwritten):
        line, is_init = next(iter(lost.values())).origin.span.line, isinstance(one, Init)
        leave = "leave 'init' out, or " if is_init and is_whole else ""
        help = f"{leave}write it before the training; or save, print or expect something between the two"
        ctx.warn(TRAINED_LOST, one.origin, help=help, what=one.word,
                trains=f"the values that line {line} trained, before anything uses them")  # fmt: skip


def _doubt_reset(ctx: Analysis, graph: Graph, training: Train) -> None:
    """Warn of a statement that undoes the step of each iteration. A value that depends on the trained variables or on
    the iteration continues the training, and a program that takes several steps per iteration may reset variables
    in each."""
    turn = list(_each_turn(training.body))
    steps = [(one, found) for one in turn if isinstance(one, Run) and (found := _trained(ctx, graph, one))]
    changed = {id for one in turn for id in _changed(ctx, graph, one)} if steps else set()
    for one in turn if steps else ():
        uses = one.uses()
        if isinstance(one, Init):
            variables = [node.id for node in graph.variables()] if one.variables is None else _ids(one.variables)
            made, later = [ref for id in variables for ref in graph.nodes[id].inputs()], changed.difference(variables)
        elif uses.sets and not any(map(_moves, uses.values)):
            variables, made, later = _ids(uses.sets), uses.executes, changed
        else:
            continue
        undone = [(run, names) for run, found in steps if (names := found & set(variables))]
        executed = ctx.executed(graph, made, one.origin.span)
        ids = [id for _, found in undone for id in sorted(found)]
        is_whole = len(undone) == len(steps) and len(ids) == len(set(ids))  # all are reset, after one step each
        if undone and (len(undone) == 1 or is_whole) and not any(id in executed for id in later):
            names, line = shown_variables(graph.items, ids), undone[0][0].origin.span.line
            help = f"{_seldom(one, training)}: here it gives {names} the same value at every step"
            _report_reset(ctx, one, help, f"the values that line {line} trains, at every step")
    if steps:
        _doubt_moments(ctx, training, turn)
        _doubt_restarts(ctx, graph, training.body, steps)


def _report_reset(ctx: Analysis, one: Statement, help: str, trains: str) -> None:
    ctx.warn(TRAINED_LOST, one.origin, help=help, what=one.word, trains=trains)


def _seldom(one: Statement, training: Train) -> str:
    """Where to write a statement of a training that each step executes."""
    where = "in an 'every'" if one in training.body else "with a larger number after 'every'"
    return f"write it before the training, or {where}"


def _doubt_moments(ctx: Analysis, training: Train, turn: list[Statement]) -> None:
    """Warn of an `init` that resets, in each iteration, what the optimizer of a step of the iteration keeps."""
    taken = {ref: one for one in turn if isinstance(one, Run) for ref in one.refs}
    for one in turn:
        if isinstance(one, Init) and (again := [ref for ref in one.steps if ref in taken]):
            line = taken[again[0]].origin.span.line
            help = f"{_seldom(one, training)}: the optimizer begins anew at every step"
            _report_reset(ctx, one, help, f"what the optimizer of line {line} keeps, such as moments, at every step")


def _doubt_restarts(ctx: Analysis, graph: Graph, body: Iterable[Statement], steps: list[tuple[Run, set[int]]]) -> None:
    """Warn of an `init` of all that the steps of a training change, at every epoch. A training that keeps what each
    epoch gives, before it, begins anew on purpose."""
    for every in body:
        if not isinstance(every, Every) or every.count != 1 or every.unit != "epoch":
            continue
        for one in every.body:
            if isinstance(one, (Save, Keep, Export)):
                break
            if not isinstance(one, Init):
                continue
            variables = {node.id for node in graph.variables()} if one.variables is None else set(_ids(one.variables))
            if all(found <= variables for _, found in steps):
                line = steps[0][0].origin.span.line
                help = "write it before the training: here each epoch begins with the initial values"
                _report_reset(ctx, one, help, f"the values that line {line} trains, at every epoch")


def _each_turn(body: Iterable[Statement]) -> Iterator[Statement]:
    """The statements that each step of a training executes."""
    for one in body:
        if isinstance(one, Every) and one.count == 1 and one.unit in ("step", "batch"):
            yield from _each_turn(one.body)
        elif not isinstance(one, Every):
            yield one


def _ids(refs: Iterable[Ref]) -> list[int]:
    return [ref.node for ref in refs]


def _moves(value: PlanExpr) -> bool:
    """Whether a value changes from iteration to iteration, whatever the graph does."""
    match value:
        case BatchField() | Counter():
            return True
        case Apply(args=parts) | Template(parts=parts):
            return any(_moves(part) for part in parts if not isinstance(part, str))
    return False


# --- saved too early, and never restored ------------------------------------------------------


def _doubt_saved(ctx: Analysis, graph: Graph, session: Session, sessions: Iterable[Session]) -> None:
    """Warn of a `save` or an `export` of initial values before the steps of a training whose result is not kept.
    Restoring them for a training of another session shows that this is intended."""
    restoring = [one for one in sessions if any(isinstance(inner, Restore) for inner in places(one.body))]
    if any(_trains(ctx, graph, one) for one in restoring):
        return
    for at, one in enumerate(places(session.body)):
        uses, later = one.uses(), from_place(session.body, at)
        training = next((next_one for next_one in places(later) if isinstance(next_one, Train)), None)
        stored = one if isinstance(one, (Save, Export)) else _stored_first(ctx, graph, one)
        if stored is not None:
            keeps = [inner for inner in walk(later) if _is_kept(inner)]
            if training is None or keeps != [stored]:
                return
            found = _trains_in(ctx, graph, training.body)
            if _stored(ctx, graph, stored, found):
                line = training.origin.span.line
                why = f"the training of line {line} comes after it"
                if one is training:
                    why = f"in the training of line {line} it runs only at step 0, before the first step is taken"
                ctx.warn(SAVED_UNTRAINED, stored.origin, what=stored.word, why=why)
            return
        if isinstance(one, (Restore, Train)) or uses.sets or any(_changed(ctx, graph, one)):
            return


def _is_kept(one: Statement) -> bool:
    """Whether a statement keeps values in a file, or takes them from one."""
    return isinstance(one, Checkpoint) or bool(one.uses().stores or one.uses().exports)


def _stored(ctx: Analysis, graph: Graph, one: Save | Export, found: set[int]) -> set[int]:
    """The variables among some that a statement writes to a file."""
    if isinstance(one, Export):
        exported = ctx.executed(graph, one.uses().exports, one.origin.span)
        return {id for id in found if id in exported}
    return found if one.pairs is None else found.intersection(ref.node for ref, _ in one.pairs)


def _stored_first(ctx: Analysis, graph: Graph, training: Statement) -> Save | None:
    """The only statement of a training that writes its variables to a file, if it runs only before the first step."""
    if not isinstance(training, Train):
        return None
    for one in training.body:
        if isinstance(one, Every):
            saves = [inner for inner in one.body if isinstance(inner, Save)]
            if saves and one.unit == training.unit and one.count >= training.count:
                return saves[0]
        uses = one.uses()
        if uses.sets or any(True for inner in walk((one,)) for _ in _changed(ctx, graph, inner)):
            return None
    return None


def _trains_in(ctx: Analysis, graph: Graph, body: tuple[Statement, ...]) -> set[int]:
    return {id for one in walk(body) for id in _trained(ctx, graph, one)}


def _trains(ctx: Analysis, graph: Graph, session: Session) -> set[int]:
    return _trains_in(ctx, graph, session.body)


def _doubt_shown(ctx: Analysis, graph: Graph, sessions: list[Session]) -> None:
    """Warn of a session that shows variables trained by an earlier session, as if sessions shared variables. A
    session that begins with `init` asks for the initial values."""
    known: dict[int, Session] = {}
    for session in sessions:
        own = {id for one in walk(session.body) for id in _changed(ctx, graph, one)}
        own |= {ref.node for one in walk(session.body) for ref in one.uses().sets}
        by_hand = not session.initialise or any(isinstance(one, (Restore, Init)) for one in places(session.body))
        restore = _restored_last(session)
        until = session.body if restore is None else session.body[: session.body.index(restore)]
        for one in () if (by_hand and restore is None) or not known else walk(until):
            uses = one.uses()
            executed = ctx.executed(graph, [*uses.executes, *uses.exports], one.origin.span)
            stored = {
                id for pairs in uses.stores for id in (known if pairs is None else {ref.node for ref, _ in pairs})
            }
            shown = sorted(id for id in known if (id in executed or id in stored) and id not in own)
            if shown:
                first = known[shown[0]]
                _report_untrained(ctx, graph, one, shown, first, restore)
                break
        known = {**dict.fromkeys(_trains(ctx, graph, session), session), **known}


def _restored_last(session: Session) -> Restore | None:
    """The `restore` of all variables of a session that uses nothing after it."""
    first = next((one for one in session.body if isinstance(one, (Restore, Init))), None)
    if not session.initialise or not isinstance(first, Restore) or first is not session.body[-1]:
        return None
    return first if first.pairs is None else None


def _report_untrained(
    ctx: Analysis, graph: Graph, one: Statement, shown: list[int], first: Session, restore: Restore | None
) -> None:
    """`restore` is a statement further down that would give the variables their values."""
    saves = [
        inner for inner in walk(first.body)
        if isinstance(inner, Save) and known_text(inner.path) is not None
        and (inner.pairs is None or set(shown) <= {ref.node for ref, _ in inner.pairs})
    ]  # fmt: skip
    where = f"'session {first.name}'" if first.name else f"the session on line {first.origin.span.line}"
    how = f'write in {where}: save to "trained.ckpt", and at the top of this one: restore from "trained.ckpt"'
    if saves:
        # Only what was saved can be restored, by the names that it was saved by.
        names = re.match(r"save\s+(.*?)\s*\bto\b", saves[-1].origin.span.one_line)
        what = f"{names[1]} " if names and names[1] else ""
        how = f'write at the top of this session: restore {what}from "{known_text(saves[-1].path)}"'
    how += "; or write there 'init', if the initial values are meant"
    if restore is not None:
        how = f"write it below the 'restore' of line {restore.origin.span.line}"
    ctx.warn(SHOWN_UNTRAINED, one.origin, names=shown_variables(graph.items, shown), where=where, help=how)


# --- never trained ----------------------------------------------------------------------------


def _doubt_whole(ctx: Analysis, graph: Graph, sessions: Iterable[Session]) -> None:
    """Warn of an integer variable that a loss depends on and that nothing else changes, as if it were trained.
    `trainable=false` says that this is intended."""
    nodes = graph.nodes
    changed = {id for node in nodes.values() for id in written(nodes, node)}
    changed |= {ref.node for session in sessions for one in walk(session.body) for ref in one.uses().sets}
    losses = [step.loss for step in graph.steps() if step.loss is not None and "wrt" not in step.args]
    for node in gradient_upstream(nodes, losses):
        ctx.spend(2, node.origin.span)
        for made in (nodes[ref.node] for ref in node.inputs()) if node.row is CAST else ():
            is_whole = made.is_variable and made.outputs[0].dtype.kind in ("int", "uint")
            if is_whole and "trainable" not in made.args and made.id not in changed:
                changed.add(made.id)  # warn only once
                ctx.warn(WHOLE_UNTRAINED, made.origin, name=made.name, type=made.outputs[0].dtype)
