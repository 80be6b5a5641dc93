"""Tracks which variables have a value in a session, and from which `init` or `restore`."""

from ...diagnostics import INIT_RESTORED, UNFED, UNINITIALISED, Note
from ...program import Node, Ref
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis, StatementFailed
from ..executed import Kind
from ..variable_names import full_names, shown_variables


def all_variables(ctx: Analysis) -> list[Ref]:
    return [Ref(id) for id in ctx.graph.executions.all(Kind.VARIABLE)]


def check_initial(ctx: Analysis, variables: list[Ref], what: str, statement: t.Statement) -> None:
    """Check that initial values need no placeholders: they are computed without feeds."""
    graph = ctx.graph
    for variable in variables:
        made = graph.nodes[variable.node]
        needed = [graph.nodes[n] for n in ctx.executed(graph, made.inputs(), statement.span).all(Kind.PLACEHOLDER)]
        needed = [node for node in needed if "default" not in node.args]
        if needed:
            notes = tuple(Note(f"{n.name}: {n.outputs[0]} is from line {{line}}", n.origin.span) for n in needed)
            notes += (Note(f"the initial value of {made.name} on line {{line}} needs it", made.origin.span),)
            help = f"give {made.name} an initial value without placeholders, and set it later: set {made.name} = ..."
            ctx.fail(
                UNFED, statement.span, notes, help, what=what, names=" and ".join(n.shown for n in needed), first=""
            )


def check_made_from(
    ctx: Analysis, initialised: set[Ref], around: Span | None, variables: list[Ref], statement: t.Init
) -> None:
    """Check that variables used in initial values are initialised too."""
    graph = ctx.graph
    for variable in variables:
        made = graph.nodes[variable.node]
        for n in ctx.executed(graph, made.inputs(), statement.span).all(Kind.VARIABLE):
            if Ref(n) not in initialised:
                note = Note(f"the initial value of {made.name} on line {{line}} needs it", made.origin.span)
                uninitialised(ctx, initialised, around, statement, graph.nodes[n], note)


def uninitialised(
    ctx: Analysis,
    initialised: set[Ref],
    around: Span | None,
    statement: t.Statement,
    node: Node,
    *notes: Note,
    restore: t.Restore | None = None,
) -> None:
    """Report a statement that needs a variable without a value. `around` is the training around the statement, and
    `restore` an earlier statement that gives others theirs. The same variable is not reported again for later
    statements.

    Other variables have a value, or the session would not initialise by hand: a plain `init` would overwrite them.
    """
    where = "before it" if around is None else f"before the training on line {around.line}"
    notes = notes or (Note("it is from line {line}", node.origin.span),)
    names = full_names(ctx.graph.items)
    name = names.get(node.id) or node.shown  # the global step that steps count by themselves is no item
    scopes = [] if node.is_whole else [name[:at] for at, letter in enumerate(name) if letter == "/"]
    inside = {scope: [id for id in names if names[id].startswith(f"{scope}/")] for scope in scopes}
    whole = (scope for scope in scopes if not any(Ref(id) in initialised for id in inside[scope]))
    target = next(whole, name)
    initialised.update(map(Ref, inside.get(target, [node.id])))
    if ctx.is_partial:  # an earlier statement, which has an error, may need it too
        raise StatementFailed(None)
    target, help = name if node.is_whole else target.replace("/", "."), ""
    if restore is not None:
        names = ", ".join((*(one.span.one_line for one in restore.saved), target))
        restored = f"restore {names} from {restore.path.span.one_line}{' if exists' if restore.if_exists else ''}"
        help = f"if the file has it, write on line {restore.span.line}: {restored}; else write {where}: init {target}"
    ctx.fail(UNINITIALISED, statement.span, notes, help, name=name, where=where, target=target)


def overwritten(
    ctx: Analysis, restored: dict[Ref, Span], refs: list[Ref], statement: t.Init | t.Restore, is_needed: bool = True
) -> None:
    """Warn if variables get their initial values after they were restored and before anything used them. `restored`
    has the places of the restores. `is_needed` is true if a variable has no value before the statement."""
    lost = [ref for ref in refs if ref in restored]
    if not lost:
        return
    others = [ctx.graph.nodes[ref.node] for ref in refs if ref not in restored]
    place = restored[lost[0]]
    if isinstance(statement, t.Restore):
        what, help = "if there is no such file, this 'restore'", f"write it before the restore of line {place.line}"
    else:
        what, help = "'init'", f"write 'init' before the restore of line {place.line}"
        if not is_needed:
            help = f"leave 'init' out, or write it before the restore of line {place.line}"
        elif others and not any(node.origin.chain for node in others):  # variables of a function have no name here
            help += f", or here only: init {', '.join(node.shown for node in others)}"
    notes = (Note("restored on line {line}", place),)
    names = shown_variables(ctx.graph.items, [ref.node for ref in lost])
    ctx.report(INIT_RESTORED, statement.span, notes, help, what=what, names=names)
    for ref in lost:
        del restored[ref]
