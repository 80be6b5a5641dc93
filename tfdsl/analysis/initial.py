"""Which variables have a value in a session, and where they have it from: `init`, `restore`, and what undoes what."""

from ..diagnostics import INIT_RESTORED, UNFED, UNINITIALISED, Note
from ..program import Node, Ref
from ..source import Span
from ..syntax import tree as t
from .context import Analysis
from .variable_names import shown_variables


def all_variables(ctx: Analysis) -> list[Ref]:
    return [Ref(n.id) for n in ctx.graph.nodes.values() if n.is_variable]


def check_initial(ctx: Analysis, variables: list[Ref], what: str, statement: t.Statement) -> None:
    """Initial values are computed without feeds, so they cannot need a placeholder."""
    graph = ctx.graph
    for variable in variables:
        made = graph.nodes[variable.node]
        initial = list(made.inputs())
        needed = sorted(n for n in graph.reach(initial, frozenset()) if graph.nodes[n].is_placeholder)
        needed = [graph.nodes[n] for n in needed if "default" not in graph.nodes[n].args]
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
    """The variables that initial values are made from must be initialised too."""
    graph = ctx.graph
    for variable in variables:
        made = graph.nodes[variable.node]
        for n in sorted(graph.reach(list(made.inputs()))):
            if graph.nodes[n].is_variable and Ref(n) not in initialised:
                note = Note(f"the initial value of {made.name} on line {{line}} needs it", made.origin.span)
                uninitialised(ctx, around, statement, graph.nodes[n], note)


def uninitialised(ctx: Analysis, around: Span | None, statement: t.Statement, node: Node, *notes: Note) -> None:
    """An error: a statement needs a variable without a value. `around` is the training that it stands in.

    Other variables have a value, or else the session would not begin by hand: `init` alone would take it from them.
    """
    where = "before it" if around is None else f"before the training on line {around.line}"
    notes = notes or (Note("it is from line {line}", node.origin.span),)
    ctx.fail(UNINITIALISED, statement.span, notes, name=node.name, where=where)


def overwritten(
    ctx: Analysis, restored: dict[Ref, Span], refs: list[Ref], statement: t.Init | t.Restore, is_needed: bool = True
) -> None:
    """Warn where variables get their initial values that have been restored, and that nothing has used since;
    `restored` says where. A statement `is_needed` if a variable has no value before it."""
    lost = [ref for ref in refs if ref in restored]
    if not lost:
        return
    others = [ctx.graph.nodes[ref.node] for ref in refs if ref not in restored]
    place = restored[lost[0]]
    if isinstance(statement, t.Restore):
        what, help = "where there is no such file, this 'restore'", f"write it before the restore of line {place.line}"
    else:
        what, help = "'init'", f"write 'init' before the restore of line {place.line}"
        if not is_needed:
            help = f"leave 'init' out, or write it before the restore of line {place.line}"
        elif others and not any(node.origin.chain for node in others):  # those of a function have no name here
            help += f", or here only: init {', '.join(node.shown for node in others)}"
    notes = (Note("restored on line {line}", place),)
    names = shown_variables(ctx.graph.items, [ref.node for ref in lost])
    ctx.report(INIT_RESTORED, statement.span, notes, help, what=what, names=names)
    for ref in lost:
        del restored[ref]
