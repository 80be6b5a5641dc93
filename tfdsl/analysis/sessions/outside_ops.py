"""Refuses to execute ops that reach outside the graph."""

from collections.abc import Iterator

from ...diagnostics import OUTSIDE_EXECUTED, RAW_EVALUATED, Diagnostic, Note
from ...program import Program, evaluated_input, executed_outside, outside_of


def refused(program: Program) -> Iterator[Diagnostic]:
    """An error for each node with such an op that a statement executes, or that TensorFlow may execute while it builds
    the graph."""
    for graph in program.graphs:
        nodes = graph.nodes.values()
        for node in nodes if any(node.raw_op for node in nodes) else ():
            made = evaluated_input(graph.nodes, node)
            if made is not None:
                details = {"op": made.op, "what": made.outside[0]}
                notes = (Note("it is from line {line}", made.origin.span),)
                yield Diagnostic(RAW_EVALUATED, node.origin.span, details, notes, chain=node.origin.chain)
    for origin, word, graph, node in executed_outside(program):
        what, instead = outside_of(graph, node)
        details = {"statement": word, "op": node.op, "what": what, "instead": instead}
        notes = (Note(f"{node.shown} is from line {{line}}", node.origin.span),)
        yield Diagnostic(OUTSIDE_EXECUTED, origin.span, details, notes, chain=origin.chain)
