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

REFERENCES = ("Variable", "VariableV2")
_EXITS, _NEXT = ("Exit", "RefExit"), ("NextIteration", "RefNextIteration")
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
    loops = _Loops(graph)

    def above(name: str) -> set[str]:
        return reached([name], lambda one: (*(end.node for end in graph.nodes[one].inputs), *graph.nodes[one].controls,
                                            *waits.get(one, ())))  # fmt: skip

    for step in step_names(graph):
        needed = graph.above(step)
        for name in sorted(needed):
            node = graph.nodes[name]
            variable = node.inputs[0].node if node.inputs and changes_something(node) else ""
            if not variable or graph.nodes[variable].op not in REFERENCES:
                continue
            before = above(name)
            last = {loops.last(reader, before, needed) for reader in readers(graph, variable)}
            for reader in sorted(one for one in last if one in needed - before):
                if name not in above(reader):
                    found.append(Race(name, variable, reader))
                    waits.setdefault(name, []).append(reader)
    return found


def readers(graph: SavedGraph, variable: str) -> Iterator[str]:
    """The ops that read a variable."""
    passing = reached([variable], lambda one: (user for user in graph.users[one] if graph.nodes[user].op in _PASSES))
    for name in {user for one in passing for user in graph.users[one]} - passing:
        if not changes_something(graph.nodes[name]):
            yield name


class _Loops:
    """Where the ops of loops hand on what they compute. `_frames` has the names of the loops around each node."""

    def __init__(self, graph: SavedGraph):
        self._graph = graph
        self._frames: dict[str, tuple[str, ...]] = {}
        for node in graph.nodes.values():  # each after its inputs, except for back edges
            inputs = (*(end.node for end in node.inputs), *node.controls)
            own = max((self._frames[one] for one in inputs if one in self._frames), key=len, default=())
            if node.op in ENTERS:
                own = (*own, node.attrs["frame_name"].s.decode())
            self._frames[node.name] = own[:-1] if node.op in _EXITS else own

    def last(self, reader: str, before: set[str], needed: set[str]) -> str:
        """The op that is finished when an op has read for the last time: the op itself, or if it is in a loop, an end
        of the loop. If the op has several, this is one of `before`, otherwise one of `needed`. Returns "" if nothing
        needs what the op reads."""
        while self._frames[reader]:
            ends = self._ends(reader, 1)
            if not ends & needed:  # what it computes in the last iteration is lost
                ends = self._ends(reader, 2)
            reader = min(ends & before or ends & needed, default="")
            if not reader:
                return ""
        return reader

    def _ends(self, reader: str, most: int) -> set[str]:
        """The ends of a loop that need an op in it, in the iterations of the op and after it: at most so many."""
        graph, own = self._graph, self._frames[reader]
        found: set[str] = set()
        seen: dict[str, int] = {}
        todo = [(reader, 0)]
        while todo:
            name, count = todo.pop()
            if seen.get(name, most + 1) <= count:
                continue
            seen[name] = count
            for user in graph.users[name]:
                node = graph.nodes[user]
                if node.op in _EXITS and self._frames[user] == own[:-1]:
                    found.add(user)
                elif self._frames[user][: len(own)] == own and count + (node.op in _NEXT) <= most:
                    todo.append((user, count + (node.op in _NEXT)))
        return found


def settle(graph_def: GraphDef, found: list[Race]) -> None:
    """Make the updates of a graph wait for the ops that read the variables."""
    nodes = {node.name: node for node in graph_def.node}
    for race in found:
        if race.update in nodes and race.reader in nodes:
            nodes[race.update].input.append(f"^{race.reader}")
