"""The state of a session's random ops: read, to be kept in a checkpoint, and put back.

It is what `lowering/kept_random.py` has in variables, and the streams of ops that are drawn by their twins. Ops whose
state is in neither are listed by `hidden`: those of TensorFlow's that programs reach by `raw.`, and those that
functions of Python's make.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...executed import after_checkpoints, initialised
from ...lowering.copies import name_of
from ...program import Origin, Statement
from .executions import executions

if TYPE_CHECKING:
    from ..session import SessionRun

States = dict[str, list[int]]  # three numbers for each random op, by a name that is the same in every run


def read(run: "SessionRun") -> States:
    """The states as they are now."""
    variables = run.built.random.variables
    states = run.session.run(variables) if variables else {}
    if run.streams is not None:
        states |= {name: stream.state for name, stream in run.streams.streams.items()}
    return {name: state.tolist() for name, state in states.items()}


def put(run: "SessionRun", states: Mapping[str, list[int]]) -> None:
    """Let the random ops go on from states that were read; of those that are not there nothing changes."""
    from ..session import setter

    arrays = {name: np.array(state, np.int64) for name, state in states.items()}
    setters = {n: setter(run.built, one) for n, one in run.built.random.variables.items() if n in arrays}
    feeds = {placeholder: arrays[name] for name, (placeholder, _) in setters.items()}
    if setters:
        run.session.run([assign for _, assign in setters.values()], feeds)
    for name, stream in run.streams.streams.items() if run.streams else ():
        if name in arrays:
            stream.state = arrays[name]


def initialise(run: "SessionRun") -> None:
    """Give the variables their first states, once in a session: to initialise a variable again is no new beginning."""
    if run.built.random.variables:  # a graph may have no ops at all
        run.session.run([one.initializer for one in run.built.random.variables.values()])


def resumable(run: "SessionRun", statements: tuple[Statement, ...]) -> list[str]:
    """The names of all ops that a resumed run of a session's statements may execute."""
    built, statements = run.built, after_checkpoints(statements)
    names = [name for one in executions(built, statements) for name in one.fetches]
    for variables in initialised(statements):
        chosen = built.variables() if variables is None else map(built.value, variables)
        names += [name_of(variable.initializer) for variable in chosen]
    return run.engines.copier.reached(names)


def hidden(run: "SessionRun", statements: tuple[Statement, ...]) -> list[tuple[str, Origin]]:
    """The kinds of ops with a state that no checkpoint of a session can hold, and where they come from."""
    found: dict[tuple[str, Origin], None] = {}
    streams = run.streams.streams if run.streams else {}
    for name in resumable(run, statements):
        kinds = [] if name in streams else run.engines.copier.hidden(name)
        node = run.built.node_of(name) if kinds else None
        if node is not None:
            found |= {(kind, node.origin): None for kind in kinds}
    return list(found)
