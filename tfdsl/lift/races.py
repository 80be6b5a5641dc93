"""Steps that change a reference variable while other ops of the step still read it.

TensorFlow runs the update and the reading op in any order, so the results of such a graph vary from run to run. A
comparison lets the op read first, as in a program, whose variables are not references.
"""

from collections.abc import Iterator

from ..lowering.tf import GraphDef
from ..record import Record
from .draft import changes_something
from .folds.row_updates import step_names
from .graph import ENTERS, SWITCHES, SavedGraph, reached

_REFERENCES = ("Variable", "VariableV2")
_PASSES = ("Identity", *ENTERS, *SWITCHES)  # their results are the variable itself, not a copy


class Race(Record):
    """An update, the variable that it changes, and an op that the update can overtake, which reads the variable."""

    update: str
    variable: str
    reader: str

    def __str__(self) -> str:
        return f"{self.update} can change {self.variable} before or after {self.reader} reads it"


def races(graph: SavedGraph) -> list[Race]:
    """The races in the steps of optimizers."""
    found: list[Race] = []
    waits: dict[str, list[str]] = {}

    def above(name: str) -> set[str]:
        return reached([name], lambda one: (*(end.node for end in graph.nodes[one].inputs), *graph.nodes[one].controls,
                                            *waits.get(one, ())))  # fmt: skip

    for step in step_names(graph):
        needed = graph.above(step)
        for name in sorted(needed):
            node = graph.nodes[name]
            variable = node.inputs[0].node if node.inputs and changes_something(node) else ""
            if not variable or graph.nodes[variable].op not in _REFERENCES:
                continue
            before = above(name)
            for reader in sorted({*_readers(graph, variable)} & needed - before):
                if name not in above(reader):
                    found.append(Race(name, variable, reader))
                    waits.setdefault(name, []).append(reader)
    return found


def _readers(graph: SavedGraph, variable: str) -> Iterator[str]:
    """The ops that read a variable. If one is in a loop, these are the ends of loops that need it."""
    passing = reached([variable], lambda one: (user for user in graph.users[one] if graph.nodes[user].op in _PASSES))
    is_in_loop = any(graph.nodes[one].op in ENTERS for one in passing)
    for name in {user for one in passing for user in graph.users[one]} - passing:
        if not changes_something(graph.nodes[name]):
            ends = {one for one in graph.below(name) if graph.nodes[one].op == "Exit"} if is_in_loop else set[str]()
            yield from ends or {name}


def settle(graph_def: GraphDef, found: list[Race]) -> None:
    """Make the updates of a graph wait for the ops that read the variables."""
    nodes = {node.name: node for node in graph_def.node}
    for race in found:
        if race.update in nodes and race.reader in nodes:
            nodes[race.update].input.append(f"^{race.reader}")
