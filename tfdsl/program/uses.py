"""What of the graph the statements of a session execute: references into it, statement by statement."""

from collections.abc import Iterator
from itertools import dropwhile

from . import Checkpoint, Graph, Program, Ref, Statement, Train, walk


def initialised(statements: tuple[Statement, ...]) -> Iterator[tuple[Ref, ...] | None]:
    """The variables that statements, and those in their loops, initialise: None for all."""
    for statement in walk(statements):
        variables = statement.uses().initialises
        if variables != ():
            yield variables


def fed(program: Program, graph: Graph) -> frozenset[Ref]:
    """What sessions feed of a graph."""
    statements = [one for session in program.sessions if session.graph == graph.name for one in walk(session.body)]
    return frozenset(feed.ref for statement in statements for feed in statement.uses().feeds)


def after_checkpoints(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements of a session that a resumed run may have to go on with: from the first training on that keeps
    checkpoints."""
    return tuple(dropwhile(lambda s: not keeps_checkpoints(s), statements))


def keeps_checkpoints(statement: Statement) -> bool:
    return isinstance(statement, Train) and any(isinstance(inner, Checkpoint) for inner in statement.body)


def kept_nodes(program: Program, graph: Graph, everywhere: bool = False) -> frozenset[int]:
    """The nodes of a graph that resumed runs of its sessions may execute; those that runs may execute at all, where
    a run can be resumed `everywhere`."""
    refs: list[Ref] = []
    for session in program.sessions:
        statements = session.body if everywhere else after_checkpoints(session.body)
        statements = statements if session.graph == graph.name else ()
        refs += [ref for statement in walk(statements) for ref in statement.uses().executes]
        for variables in initialised(statements):
            made = graph.variables() if variables is None else [graph.nodes[one.node] for one in variables]
            refs += [ref for node in made for ref in node.inputs()]
    return frozenset(graph.reach(refs))
