"""Executions in which a graph leaves open whether an op changes a variable before or after another op reads or changes
it.

TensorFlow runs such ops in any order, so the results of such a graph vary from run to run. A comparison gives both
sides one of these orders: that of the program, which is the order of its text.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..lowering.tf import GraphDef, op_def
from ..ops.raw import READERS
from ..record import Record
from .folds.variables import is_complete
from .graph import ENTERS, SWITCHES, Endpoint, GraphNode, SavedGraph, reached

REFERENCES = ("Variable", "VariableV2")
_EXITS, _NEXT = ("Exit", "RefExit"), ("NextIteration", "RefNextIteration")
_MERGES, _COND = ("Merge", "RefMerge"), "LoopCond"
# Ops whose results are parts of the variable itself, not copies.
_SHARES = (
    "Identity", "RefIdentity", "IdentityN", "StopGradient", "PreventGradient", "CheckNumerics", *ENTERS, *SWITCHES,
    *_EXITS, *_NEXT, *_MERGES, "Reshape", "Squeeze", "ExpandDims", "Slice", "StridedSlice", "Split", "SplitV", "Unpack",
    "Bitcast", "Cast",
)  # fmt: skip
_SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")


class Race(Record):
    """Two ops that access a variable in any order. `before` and `after` put them in one order, if the second waits for
    the first; both are None if no wait can do that."""

    update: str
    variable: str
    other: str
    is_write: bool = False  # whether the other op changes the variable, too
    edge: tuple[str, str] | None = None

    def __str__(self) -> str:
        does = "changes" if self.is_write else "reads"
        return f"{self.update} can change {self.variable} before or after {self.other} {does} it"


class VariableAccess(Record):
    """An op that reads or changes a variable."""

    name: str
    is_write: bool


Place = Callable[[VariableAccess], tuple[int, bool]]  # where an access stands among others


class Races:
    """The races of one graph. `resources` maps the variables that an op accesses by their handles to whether it changes
    them."""

    def __init__(self, graph: SavedGraph, resources: Callable[[str], Mapping[str, bool]] = lambda name: {}):
        self._graph = graph
        self._around = _Surroundings(graph)
        found: dict[str, list[VariableAccess]] = defaultdict(list)
        for name in graph.nodes:
            for variable, is_write in resources(name).items():
                found[variable.removeprefix("/")].append(VariableAccess(name, is_write))
        for node in graph.nodes.values():
            if node.op in REFERENCES:
                found[node.name] += accesses(graph, node.name)
        self._accesses = {variable: line for variable, line in found.items() if any(one.is_write for one in line)}

    def of(self, roots: Iterable[str], place: Place = lambda one: (0, one.is_write)) -> list[Race]:
        """The races in the execution of some ops. What has the lower place comes first."""
        execution = _Ordering(self._graph, self._around, roots)
        for variable, found in self._accesses.items():
            line = [one for one in found if one.name in execution.needed]
            line.sort(key=lambda one: (place(one), self._graph.places[one.name]))
            for at, second in enumerate(line):
                for first in line[:at]:
                    if first.is_write or second.is_write:
                        execution.put_in_order(variable, first, second)
        return execution.races


def accesses(graph: SavedGraph, variable: str) -> Iterator[VariableAccess]:
    """The ops that read or change a reference variable. Ops that only look at its shape do neither."""
    shared = reached(
        [variable], lambda one: (user for user in graph.users[one] if _shares(graph, graph.nodes[user], one))
    )
    has_shape = is_complete(graph.nodes[variable].types[0])
    for name in sorted({user for one in shared for user in graph.users[one]}):
        node = graph.nodes[name]
        definition = op_def(node.op)
        args = () if definition is None else definition.input_arg
        at = [place for place, end in enumerate(node.inputs) if end.node in shared]
        is_write = node.op not in READERS and any(place < len(args) and args[place].is_ref for place in at)
        if is_write or (at and name not in shared and not (has_shape and node.op in _SHAPES)):
            yield VariableAccess(name, is_write)


def _shares(graph: SavedGraph, node: GraphNode, source: str) -> bool:
    """Whether the result of an op is the variable that an input holds, or a part of it."""
    if node.op in _SHARES:
        return any(end.node == source for end in node.inputs)
    definition = op_def(node.op)
    is_update = definition is not None and any(one.is_ref for one in definition.output_arg)
    return is_update and bool(node.inputs) and node.inputs[0].node == source


class _Ordering:
    """The races found in the execution of an op, with the order that they are given."""

    def __init__(self, graph: SavedGraph, around: "_Surroundings", roots: Iterable[str]):
        self._graph, self._around = graph, around
        self.needed, self.races = graph.above(*roots), list[Race]()
        self._waits: dict[str, list[str]] = {}
        self._above: dict[str, set[str]] = {}

    def put_in_order(self, variable: str, first: VariableAccess, second: VariableAccess) -> None:
        """Note the race of two ops, unless one comes before the other."""
        end = self._end(first.name, second.name)
        has_order = end is None or self._end(second.name, first.name) is None
        if self._around.are_apart(first.name, second.name) or (has_order and not self._overtakes(first, second)):
            return
        update, other = (second, first) if second.is_write else (first, second)
        start = self._around.start(second.name, first.name, self.above(second.name))
        edge = None
        if end and self._around.can_wait(start, end) and start not in self.above(end):
            edge = end, start
            self._waits.setdefault(start, []).append(end)
            self._above.clear()
        self.races.append(Race(update.name, variable, other.name, other.is_write, edge))

    def _overtakes(self, first: VariableAccess, second: VariableAccess) -> bool:
        """Whether one of two ops in a loop can run in an iteration before the other one has run in the one before."""
        if not self._around.is_parallel(first.name, second.name):
            return False
        return first.name not in self._graph.above(second.name) or second.name not in self._graph.above(first.name)

    def above(self, name: str) -> set[str]:
        """An op, and all ops that it waits for; in a loop, those of the same iteration."""
        if name not in self._above:
            nodes, waits, around = self._graph.nodes, self._waits, self._around
            self._above[name] = reached([name], lambda one: (
                *(end.node for end in nodes[one].inputs if not around.is_before(end.node, name)),
                *nodes[one].controls, *waits.get(one, ()),
            ))  # fmt: skip
        return self._above[name]

    def _end(self, name: str, other: str) -> str | None:
        """The op that is finished when `name` has run for the last time, which `other` can wait for. None if it waits
        already, and "" if there is none."""
        before = self.above(other)
        end = self._around.end(name, other, before, self.needed)
        return None if end in before else end


class _Surroundings:
    """Where ops run: the loops around them, and the branches, each with its condition and the output of its Switch."""

    def __init__(self, graph: SavedGraph):
        self._graph = graph
        self._frames: dict[str, tuple[str, ...]] = {}
        self._branches: dict[str, frozenset[Endpoint]] = {}
        self._parallel: dict[str, int] = {}  # how many iterations of a loop can run at a time
        for node in graph.nodes.values():  # each after its inputs, except for back edges
            ends = [end for end in (*node.inputs, *map(Endpoint, node.controls)) if end.node in self._frames]
            own = max((self._frames[end.node] for end in ends), key=len, default=())
            if node.op in ENTERS:
                own = (*own, node.attrs["frame_name"].s.decode())
                self._parallel[own[-1]] = node.attrs["parallel_iterations"].i
            self._frames[node.name] = own[:-1] if node.op in _EXITS else own
            found = [self._branch(end) for end in ends]
            inside = frozenset[Endpoint]().union(*found)
            self._branches[node.name] = inside.intersection(*found) if node.op in _MERGES else inside

    def _branch(self, end: Endpoint) -> frozenset[Endpoint]:
        """The branches in which an endpoint has a value."""
        node = self._graph.nodes[end.node]
        inside = self._branches[end.node]
        if node.op not in SWITCHES or self._graph.input(node, 1).op == _COND:
            return inside
        return inside | {Endpoint(f"{node.inputs[1]}", end.output)}

    def are_apart(self, name: str, other: str) -> bool:
        """Whether two ops are in different branches of one condition."""
        branches, others = self._branches[name], self._branches[other]
        return any(one.node == two.node and one != two for one in branches for two in others)

    def is_parallel(self, name: str, other: str) -> bool:
        """Whether two ops are in the same loop, whose iterations overlap."""
        frames = self._frames[name]
        return frames == self._frames[other] and any(self._parallel[frame] > 1 for frame in frames[-1:])

    def is_before(self, name: str, inside: str) -> bool:
        """Whether an op hands on the value of an iteration to the next one, in a loop that another op is in."""
        frames = self._frames[name]
        return self._graph.nodes[name].op in _NEXT and self._frames[inside][: len(frames)] == frames

    def can_wait(self, name: str, other: str) -> bool:
        """Whether an op can wait for another one: both are in no loop, or one of them is the whole loop, and the other
        one runs whenever this one does. A program decides by itself in which order the body of a loop is executed."""
        return not self._entered(name) and not self._frames[other] and self._branches[other] <= self._branches[name]

    def _entered(self, name: str) -> tuple[str, ...]:
        """The loops around an op; an op that begins a loop is still outside."""
        frames = self._frames[name]
        return frames[:-1] if self._graph.nodes[name].op in ENTERS else frames

    def start(self, name: str, other: str, before: set[str]) -> str:
        """The op that must wait so that an op runs after another one: the op itself, or if it is in a loop that the
        other one is not in, the beginning of the loop, one of `before`."""
        depth = len(_common(self._frames[name], self._entered(other)))
        while len(self._entered(name)) > depth:
            frames = self._frames[name]
            name = min(one for one in before if self._graph.nodes[one].op in ENTERS and self._frames[one] == frames)
        return name

    def end(self, name: str, other: str, before: set[str], needed: set[str]) -> str:
        """The op that is finished when an op has run for the last time: the op itself, or if it is in a loop or branch
        that another one is not in, an end of it. If it has several, this is one of `before`, otherwise one of `needed`.
        Returns "" if it has none that is needed."""
        depth = len(_common(self._frames[name], self._entered(other)))
        while len(self._frames[name]) > depth:
            ends = self._ends(name, 1)
            if not ends & needed:  # what it computes in the last iteration is lost
                ends = self._ends(name, 2)
            name = min(ends & before or ends & needed, default="")
            if not name:
                return ""
        if self._branches[name] <= self._branches[other]:
            return name
        below = self._graph.below(name) & needed
        ends = {one for one in below if self._graph.nodes[one].op in _MERGES and self.can_wait(other, one)}
        return min(ends & before or ends, default=name if name in before else "")

    def _ends(self, name: str, most: int) -> set[str]:
        """The ends of a loop that need an op in it, in the iterations of the op and after it: at most so many."""
        graph, own = self._graph, self._frames[name]
        found: set[str] = set()
        seen: dict[str, int] = {}
        todo = [(name, 0)]
        while todo:
            one, count = todo.pop()
            if seen.get(one, most + 1) <= count:
                continue
            seen[one] = count
            for user in graph.users[one]:
                node = graph.nodes[user]
                if node.op in _EXITS and self._frames[user] == own[:-1]:
                    found.add(user)
                elif self._frames[user][: len(own)] == own and count + (node.op in _NEXT) <= most:
                    todo.append((user, count + (node.op in _NEXT)))
        return found


def _common(frames: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """The loops around both of two ops."""
    return tuple(one for one, other in zip(frames, others) if one == other)


def settle(graph_def: GraphDef, found: Iterable[Race]) -> None:
    """Make the second op of each race wait for the first one."""
    nodes = {node.name: node for node in graph_def.node}
    for race in found:
        if race.edge is not None:
            before, after = race.edge
            nodes[after].input.append(f"^{before}")
