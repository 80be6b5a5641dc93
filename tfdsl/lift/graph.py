"""A graph from a file: the nodes of a GraphDef, linked, in an order in which they can be built."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from ..lowering.tf import AttrValue, FunctionDefLibrary
from ..record import Record, field
from ..types import TensorType

VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
DEFAULTED = "PlaceholderWithDefault"
PLACEHOLDERS = ("Placeholder", "PlaceholderV2", DEFAULTED)
ASSIGNS = ("Assign", "AssignVariableOp")
RESTORES = ("RestoreV2", "Restore", "RestoreSlice", "MatchingFiles")
NAMED = 5  # the most names in a note
SWITCHES = ("Switch", "RefSwitch")  # only one of their outputs runs
ENTERS = ("Enter", "RefEnter")  # begin a loop
GRADIENTS_SCOPE = re.compile(r"((?:.*?/)?gradients(?:_\d+)?)/", re.IGNORECASE)  # of the nodes of gradients

_Name = TypeVar("_Name")


class Endpoint(Record):
    """An output of a node: `split:1`."""

    node: str
    output: int = 0

    def __str__(self) -> str:
        return f"{self.node}:{self.output}" if self.output else self.node


class GraphNode(Record):
    """A node of a GraphDef. `attrs` has no `_output_shapes`; `types` has the types that TensorFlow infers for its
    outputs."""

    name: str
    op: str
    inputs: tuple[Endpoint, ...]
    controls: tuple[str, ...]
    attrs: Mapping[str, AttrValue]
    device: str
    types: tuple[TensorType, ...]


class SavedSignature(Record):
    """A signature of a SavedModel or MetaGraph: its tensors, by the names that callers use."""

    inputs: Mapping[str, Endpoint]
    outputs: Mapping[str, Endpoint]
    method: str


class SavedGraph(Record):
    """A graph from a file.

    `nodes` has the nodes by name, each after its inputs, except for the back edges of loops, which go from a
    NextIteration to a Merge. `collections` has the names of nodes by the key of a collection (`trainable_variables`,
    `train_op`, `losses`, ...); a variable is in it with the name of its node. `checkpoint` is the prefix of the
    checkpoint with the variables, or "". `notes` tell the user what was left out.
    """

    path: str
    kind: str  # GraphDef, MetaGraph or SavedModel
    nodes: Mapping[str, GraphNode]
    producer: int
    library: FunctionDefLibrary
    collections: Mapping[str, tuple[str, ...]]
    signatures: Mapping[str, SavedSignature]
    checkpoint: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        users: dict[str, list[str]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in dict.fromkeys((*(one.node for one in node.inputs), *node.controls)):
                users[name].append(node.name)
        object.__setattr__(self, "users", users)
        object.__setattr__(self, "places", {name: at for at, name in enumerate(self.nodes)})

    users: Mapping[str, list[str]] = field(init=False)  # the nodes that take a node as an input or control input
    places: Mapping[str, int] = field(init=False)  # of the nodes, in their order

    def input(self, node: GraphNode, at: int) -> GraphNode:
        """The node that makes an input."""
        return self.nodes[node.inputs[at].node]

    def passes_condition(self, name: str) -> bool:
        """Whether a node only passes on the condition of a branch, for the ops in the branch to wait for."""
        node = self.nodes[name]
        while node.op == "Identity":
            node = self.input(node, 0)
        return node.op in SWITCHES and len(node.inputs) == 2 and node.inputs[0] == node.inputs[1]

    def above(self, *names: str) -> set[str]:
        """These nodes, and all nodes that they need as inputs or control inputs."""
        return reached(names, lambda name: (*(one.node for one in self.nodes[name].inputs), *self.nodes[name].controls))

    def below(self, *names: str) -> set[str]:
        """These nodes and all that need them, by data or control."""
        return reached(names, lambda name: self.users[name])


def reached(names: Iterable[_Name], following: Callable[[_Name], Iterable[_Name]]) -> set[_Name]:
    """These names, and all that `following` leads to from them."""
    found: set[_Name] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += following(name)
    return found


def unused_node(wanted: str, taken: set[str]) -> str:
    """A name for a node that is not taken yet, which this call takes."""
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


class Cycle(Exception):
    """Raised for nodes that need each other."""

    def __init__(self, names: Sequence[str]):
        super().__init__(names)
        self.names = names


def in_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Names, each after the names that it needs, otherwise in the given order. Raises `Cycle` if this is impossible."""
    position = {name: at for at, name in enumerate(needs)}
    sorted_needs = {name: sorted(set(others), key=position.__getitem__) for name, others in needs.items()}
    ordered: dict[str, None] = {}
    for first in needs:
        todo = [(first, iter(sorted_needs[first]))]
        opened = {first}
        while todo and first not in ordered:
            name, left = todo[-1]
            one = next((one for one in left if one not in ordered), None)
            if one is None:
                ordered[name] = None
                opened.discard(name)
                todo.pop()
            elif one in opened:
                names = [name for name, _ in todo]
                raise Cycle(names[names.index(one) :])
            else:
                opened.add(one)
                todo.append((one, iter(sorted_needs[one])))
    return list(ordered)
