"""Reads the state of a session's random ops for a checkpoint, and restores it.

The state is in the variables of `lowering/kept_random.py` and in the streams of ops whose twins draw. `hidden` lists
the ops whose state is in neither: `raw.` ops, and ops that Python functions make.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from ...lowering.built import BuiltGraph
from ...lowering.cloning import name_of
from ...lowering.tf import v1
from ...program import Origin, Statement, after_checkpoints, initialised
from .executions import executions
from .streams import Streams

States = dict[str, list[int]]  # three numbers for each random op, by a name that is the same in every run


def read(built: BuiltGraph, session: v1.Session, streams: Streams) -> States:
    """The current states."""
    variables = built.random.variables
    states = session.run(variables) if variables else {}
    states |= {name: stream.state for name, stream in streams.streams.items()}
    return {name: state.tolist() for name, state in states.items()}


def put(built: BuiltGraph, session: v1.Session, streams: Streams, states: Mapping[str, list[int]]) -> None:
    """Set the states of random ops. Ops that are not in `states` do not change."""
    arrays = {name: np.array(state, np.int64) for name, state in states.items()}
    built.assign(session, [(one, arrays[name]) for name, one in built.random.variables.items() if name in arrays])
    for name, stream in streams.streams.items():
        if name in arrays:
            stream.state = arrays[name]


def initialise(built: BuiltGraph, session: v1.Session) -> None:
    """Initialise the states once in a session. Initialising a variable again does not reset them."""
    if built.random.variables:  # a graph may have no ops at all
        session.run([one.initializer for one in built.random.variables.values()])


def resumable(built: BuiltGraph, statements: tuple[Statement, ...]) -> list[str]:
    """The names of all ops that a resumed run of a session's statements may execute."""
    statements = after_checkpoints(statements)
    names = [name for one in executions(built, statements) for name in one.fetches]
    for variables in initialised(statements):
        chosen = built.variables() if variables is None else map(built.value, variables)
        names += [name_of(variable.initializer) for variable in chosen]
    return built.copier.reached(names)


def hidden(built: BuiltGraph, streams: Streams, names: Iterable[str]) -> list[tuple[str, Origin]]:
    """The types of ops among those with some names whose state no checkpoint of a session can hold, with their
    origins."""
    found: dict[tuple[str, Origin], None] = {}
    for name in names:
        kinds = [] if name in streams.streams else built.copier.hidden(name)
        node = built.node_of(name) if kinds else None
        if node is not None:
            found |= {(kind, node.origin): None for kind in kinds}
    return list(found)
