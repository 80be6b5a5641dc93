"""What the statements of sessions mention and execute of a graph."""

from collections.abc import Iterator
from typing import cast

from ..record import Record
from .graph import Graph, Origin, Ref
from .places import after_checkpoints
from .plan import Program, Statement, walk


def initialised(statements: tuple[Statement, ...]) -> Iterator[tuple[Ref, ...] | None]:
    """The variables that statements initialise, including statements in loops. None stands for all variables."""
    for statement in walk(statements):
        variables = statement.uses().initialises
        if variables != ():
            yield variables


def fed(program: Program, graph: Graph) -> frozenset[Ref]:
    """The tensors of a graph that sessions feed."""
    statements = [one for session in program.sessions if session.graph == graph.name for one in walk(session.body)]
    return frozenset(feed.ref for statement in statements for feed in statement.uses().feeds)


def kept_nodes(program: Program, graph: Graph, everywhere: bool = False) -> frozenset[int]:
    """The nodes of a graph that resumed runs of its sessions may execute. If a run can be resumed `everywhere`, all
    nodes that runs may execute."""
    refs: list[Ref] = []
    for session in program.sessions:
        statements = session.body if everywhere else after_checkpoints(session.body)
        statements = statements if session.graph == graph.name else ()
        refs += [ref for statement in walk(statements) for ref in statement.uses().executes]
        for variables in initialised(statements):
            made = graph.variables() if variables is None else [graph.nodes[one.node] for one in variables]
            refs += [ref for node in made for ref in node.inputs()]
    return frozenset(graph.reach(refs))


def refs_in(part: object) -> Iterator[Ref]:
    """Every reference in a statement, or in a part of one, once for each time."""
    match part:
        case Ref():
            yield part
        case tuple():
            for item in cast(tuple[object, ...], part):  # of any fields
                yield from refs_in(item)
        case Origin():
            pass
        case Record():
            for name in part.__match_args__:
                yield from refs_in(getattr(part, name))
        case _:
            pass
