"""Tracks which variables have a value in a session, and from which `init` or `restore`."""

from collections.abc import Sequence

from ...diagnostics import INIT_RESTORED, UNFED, UNINITIALISED, Note
from ...diagnostics.spelling import listed
from ...ops.optimizers import OPTIMIZERS
from ...program import Node, Ref, Static
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

    def check(inputs: Sequence[Ref], made: Node, value: str, help: str) -> None:
        needed = [graph.nodes[n] for n in ctx.executed(graph, inputs, statement.span).all(Kind.PLACEHOLDER)]
        needed = [node for node in needed if "default" not in node.args]
        if needed:
            notes = tuple(Note(f"{n.name}: {n.outputs[0]} is from line {{line}}", n.origin.span) for n in needed)
            notes += (Note(f"{value} on line {{line}} needs it", made.origin.span),)
            names = " and ".join(n.shown for n in needed)
            ctx.fail(UNFED, statement.span, notes, help, what=what, names=names, first="")

    for variable in variables:
        made = graph.nodes[variable.node]
        help = f"give {made.name} an initial value without placeholders, and set it later: set {made.name} = ..."
        check(made.inputs(), made, f"the initial value of {made.name}", help)
    for step in graph.optimizers:
        made = graph.nodes[step.node]
        name = made.args["optimizer"]
        assert isinstance(name, Static)
        for argument in OPTIMIZERS[str(name.value)].begins_with:
            if isinstance(value := made.args.get(argument), Ref):
                help = f"variables of {name.value} begin with it: give {argument} a value without placeholders"
                check([value], made, f"{argument} of {name.value}", help)


def check_made_from(
    ctx: Analysis, initialised: set[Ref], around: Span | None, variables: list[Ref], statement: t.Init
) -> None:
    """Check that variables used in initial values are initialised too."""
    graph = ctx.graph
    for variable in variables:
        made = graph.nodes[variable.node]
        needed = list(map(Ref, ctx.executed(graph, made.inputs(), statement.span).all(Kind.VARIABLE)))
        note = Note(f"the initial value of {made.name} on line {{line}} needs it", made.origin.span)
        check_initialised(ctx, initialised, around, statement, needed, note)


def check_initialised(
    ctx: Analysis,
    initialised: set[Ref],
    around: Span | None,
    statement: t.Statement,
    needed: list[Ref],
    *notes: Note,
    restore: t.Restore | None = None,
) -> None:
    """Check that the variables that a statement needs have a value. `around` is the training around the statement, and
    `restore` an earlier statement that gives others theirs. The same variables are not reported again for later
    statements.

    Other variables have a value, or the session would not initialise by hand: a plain `init` would overwrite them.
    """
    nodes = [ctx.graph.nodes[ref.node] for ref in needed if ref not in initialised]
    if not nodes:
        return
    where = "before it" if around is None else f"before the training on line {around.line}"
    names = full_names(ctx.graph.items)
    shown = [names.get(node.id) or node.shown for node in nodes]  # the global step that counts by itself is no item
    targets: list[str] = []
    for node, name in zip(nodes, shown, strict=True):
        if Ref(node.id) in initialised:  # with its scope
            continue
        scopes = [] if node.is_whole else [name[:at] for at, letter in enumerate(name) if letter == "/"]
        inside = {scope: [id for id in names if names[id].startswith(f"{scope}/")] for scope in scopes}
        whole = (scope for scope in scopes if not any(Ref(id) in initialised for id in inside[scope]))
        target = next(whole, name)
        initialised.update(map(Ref, inside.get(target, [node.id])))
        targets.append(name if node.is_whole else target.replace("/", "."))
    if ctx.is_partial:  # an earlier statement, which has an error, may need them too
        raise StatementFailed(None)
    notes = notes or (Note("it is from line {line}", nodes[0].origin.span),)
    if len(shown) > 1:
        notes += (Note(f"{listed(shown[1:])} {'is' if len(shown) == 2 else 'are'} not initialised either"),)
    target, help = ", ".join(targets), ""
    if restore is not None:
        restored = ", ".join((*(one.span.one_line for one in restore.saved), *targets))
        line = f"restore {restored} from {restore.path.span.one_line}{' if exists' if restore.if_exists else ''}"
        has = "it" if len(targets) == 1 else "them"
        help = f"if the file has {has}, write on line {restore.span.line}: {line}; else write {where}: init {target}"
    ctx.fail(UNINITIALISED, statement.span, notes, help, name=shown[0], where=where, target=target)


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
