"""Whether a checkpoint of a graph can be restored into its program: under which names each has the variables."""

from collections.abc import Mapping

from ..driver import Compiled
from ..program import Restore, walk
from ..record import Record
from ..runtime.execution.savers import Savers
from .graph import SavedGraph
from .restoring import saved_names


class CheckpointNames(Record):
    """`fitting` is the number of variables that the program restores under the name that a checkpoint of the graph has
    for them. `others` maps the other variables of the program to that name, and `own` has those that are no variables
    of the graph. `moved` has the variables among `others` whose nodes have another name too."""

    fitting: int
    others: dict[str, str]
    own: list[str]
    moved: list[str]


def checkpoint_names(graph: SavedGraph, compiled: Compiled, counterparts: Mapping[str, str]) -> CheckpointNames:
    """Compare the names of all variables of the program, with those that its optimizers keep. `counterparts` maps the
    variables of the graph to those of the program."""
    built = compiled.built()
    savers = Savers(built, compiled.access, lambda: {})
    read = {one.op.name: one.op.name for one in built.variables()}
    for plan in compiled.program.sessions:
        for statement in walk(plan.body):
            if isinstance(statement, Restore):
                read |= {one.op.name: name for name, one in savers.variables(statement.pairs).items()}
    stored, originals = saved_names(graph), {other: name for name, other in counterparts.items()}
    others = {
        name: stored[originals[name]] for name, text in read.items()
        if name in originals and stored[originals[name]] != text
    }  # fmt: skip
    own = [name for name in read if name not in originals]
    moved = [name for name in others if originals[name] != name]
    return CheckpointNames(len(read) - len(others) - len(own), others, own, moved)
