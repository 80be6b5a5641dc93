"""`set`: sets a variable to a value computed outside the graph."""

from ...program import Set, Value, fetches_of
from ..execution.execution import Execution
from ..execution.feeds import check_shapes, convert


def execute(run: Execution, statement: Set) -> None:
    fetched = run.fetch([statement.value], statement.feeds, statement.origin)
    value = run.value(statement.value, fetched, statement.origin)
    type = run.built.program.type(statement.variable)
    name = run.built.program.nodes[statement.variable.node].name
    assert type is not None and name is not None  # every variable has them
    warn = None if isinstance(statement.value, Value) else run.warn
    array = convert(value, type, name, statement.origin, warn)
    check_shapes([(name, type, array, statement.origin)])
    variable = run.built.value(statement.variable)
    is_computed = bool(fetches_of(statement.value))
    if is_computed:
        run.health.computes(variable=variable.op.name, origin=statement.origin)
    run.built.assign(run.session, [(variable, array)])
    run.health.allow_nan([variable.op.name], is_computed)
