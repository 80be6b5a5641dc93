"""Finds nodes that sessions execute and that reach outside the graph."""

from collections.abc import Iterator

from .graph import Graph, Node, Origin, Ref
from .plan import Program, walk


def outside_of(graph: Graph, node: Node) -> tuple[str, str]:
    """Two texts: what a node does outside the graph, itself or in a function that it calls, and what to use instead."""
    own = node.outside
    if own[0] or not graph.functions:
        return own
    functions = {function.name: function for function in graph.functions}
    todo, seen = [node], set[str]()
    for one in todo:  # the loop adds to it
        if one.outside[0]:
            return one.outside
        for name in called(one):
            if name in functions and name not in seen:
                seen.add(name)
                todo += functions[name].body.nodes.values()
    return "", ""


def called(node: Node) -> Iterator[str]:
    """The names of the functions that the attributes of a node name."""
    made = node.raw_op
    for attr in made.attrs.values() if made is not None else ():
        value = node.static(attr.name) if attr.item == "func" and attr.name in node.args else None
        for name in value if isinstance(value, tuple) else (value,):
            if isinstance(name, str):
                yield name


def executed_outside(program: Program) -> Iterator[tuple[Origin, str, Graph, Node]]:
    """The nodes outside the graph that a session executes, each with the place and the first words of the statement
    that executes it."""
    for graph in program.graphs:
        outside = {id for id, node in graph.nodes.items() if outside_of(graph, node)[0]}
        sessions = [session for session in program.sessions if outside and session.graph == graph.name]
        for session in sessions:
            if session.initialise:
                yield from _of(graph, outside, _initial(graph, None), session.origin, "session")
            for statement in walk(session.body):
                uses = statement.uses()
                made = () if uses.initialises == () else _initial(graph, uses.initialises)
                refs = [*uses.executes, *uses.exports, *made]
                fed = frozenset(feed.ref for feed in uses.feeds)
                yield from _of(graph, outside, refs, statement.origin, statement.word, fed)


def _of(
    graph: Graph, outside: set[int], refs: list[Ref], origin: Origin, word: str, fed: frozenset[Ref] = frozenset()
) -> Iterator[tuple[Origin, str, Graph, Node]]:
    for id in sorted(outside & graph.reach(refs, fed)):
        yield origin, word, graph, graph.nodes[id]


def _initial(graph: Graph, variables: tuple[Ref, ...] | None) -> list[Ref]:
    """The tensors from which the initial values of variables are computed. None means all variables."""
    made = graph.variables() if variables is None else [graph.nodes[ref.node] for ref in variables]
    return [ref for node in made for ref in node.inputs()]
