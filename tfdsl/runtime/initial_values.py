"""Values that a caller gives the variables of a session in place of their initial values."""

from collections.abc import Mapping

from ..diagnostics import UNKNOWN_NAME, Diagnostic, TfgError
from ..diagnostics.spelling import did_you_mean, listed
from ..lowering.built import BuiltGraph
from ..lowering.tf import v1
from ..program import Program
from .execution.feeds import check_shapes, convert
from .execution.savers import variable_type


def of_graph(variables: Mapping[str, object], program: Program, graph: str) -> dict[str, object]:
    """The entries of `Result.variables` for one graph, by their names in TensorFlow."""
    prefixes = [g.prefix for g in program.graphs if g.name]
    if graph:
        return {name.removeprefix(f"{graph}."): v for name, v in variables.items() if name.startswith(f"{graph}.")}
    return {name: value for name, value in variables.items() if not name.startswith(tuple(prefixes))}


def give(built: BuiltGraph, session: v1.Session, values: Mapping[str, object]) -> None:
    """Set variables by their names in TensorFlow, or as the program writes them."""
    known = {variable.op.name: variable for variable in built.variables()}
    given = []
    for name, value in values.items():
        name = name if name in known else name.replace(".", "/")
        if name not in known:
            help = did_you_mean(name, known) or "the variables are " + (listed(known) or "none")
            raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
        type = variable_type(known[name])
        array = convert(value, type, name, None)
        check_shapes([(name, type, array, None)])
        given.append((known[name], array))
    built.assign(session, given)
