"""The state of a session's random ops: read, to be kept in a checkpoint, and put back.

It is what `lowering/kept_random.py` has in variables, and the streams of ops that are drawn by their twins. Ops whose
state is in neither are listed by `hidden`: TensorFlow ops that programs reach by `raw.`, and ops that
Python functions make.
"""

from collections.abc import Mapping

import numpy as np

from ...lowering.cloning import name_of
from ...lowering.graph import BuiltGraph
from ...lowering.tf import v1
from ...program import Origin, Statement, after_checkpoints, initialised
from .executions import executions
from .streams import Streams

States = dict[str, list[int]]  # three numbers for each random op, by a name that is the same in every run


def read(built: BuiltGraph, session: v1.Session, streams: Streams) -> States:
    """The states as they are now."""
    variables = built.random.variables
    states = session.run(variables) if variables else {}
    states |= {name: stream.state for name, stream in streams.streams.items()}
    return {name: state.tolist() for name, state in states.items()}


def put(built: BuiltGraph, session: v1.Session, streams: Streams, states: Mapping[str, list[int]]) -> None:
    """Let the random ops go on from states that were read; of those that are not there nothing changes."""
    arrays = {name: np.array(state, np.int64) for name, state in states.items()}
    built.assign(session, [(one, arrays[name]) for name, one in built.random.variables.items() if name in arrays])
    for name, stream in streams.streams.items():
        if name in arrays:
            stream.state = arrays[name]


def initialise(built: BuiltGraph, session: v1.Session) -> None:
    """Give the variables their first states, once in a session: to initialise a variable again is no new beginning."""
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


def hidden(built: BuiltGraph, streams: Streams, statements: tuple[Statement, ...]) -> list[tuple[str, Origin]]:
    """The kinds of ops with a state that no checkpoint of a session can hold, and where they come from."""
    found: dict[tuple[str, Origin], None] = {}
    for name in resumable(built, statements):
        kinds = [] if name in streams.streams else built.copier.hidden(name)
        node = built.node_of(name) if kinds else None
        if node is not None:
            found |= {(kind, node.origin): None for kind in kinds}
    return list(found)
