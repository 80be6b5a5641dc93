"""Names of variables come first: an op without a name of its own does not take the name of a variable after it.

TensorFlow compares names without regard to case, so `reduce_mean(x)`, whose node is `Mean`, would leave `mean_1` to a
variable that the program calls `mean`, in the graph and in every checkpoint. The names that variables of a scope will
ask for are taken when the scope opens, and given to them when they are made.
"""

from collections import defaultdict
from typing import assert_never

from ..program import Enter, Exit, Item, Node
from .tf import tf, v1

_OUTSIDE = -1


def variables_of(items: tuple[Item, ...]) -> dict[int, list[Node]]:
    """The variables that are made directly in each scope, by the index at which it is entered (-1 outside of all).

    Left out are those whose name the program has given to something before, in the same scope.
    """
    found: dict[int, list[Node]] = defaultdict(list)
    given: dict[int, set[str]] = defaultdict(set)
    opened = [_OUTSIDE]
    for at, item in enumerate(items):
        scope = opened[-1]
        match item:
            case Enter(kind="scope"):
                given[scope].add(item.name.lower())
                opened.append(at)
            case Enter():
                opened.append(scope)
            case Exit():
                opened.pop()
            case Node() if item.name is not None:
                if item.is_variable and item.name.lower() not in given[scope]:
                    found[scope].append(item)
                given[scope].add(item.name.lower())
            case Node():
                pass
            case _:
                assert_never(item)
    return found


class VariableNames:
    """The names of variables still to be made, in one graph."""

    def __init__(self, graph: tf.Graph, items: tuple[Item, ...]):
        self._graph, self._variables = graph, variables_of(items)
        self._taken: dict[int, str] = {}  # by the variable's node
        self.enter(_OUTSIDE)

    def enter(self, at: int) -> None:
        """Take the names that variables will ask for in the scope that has just been opened."""
        for node in self._variables.get(at, ()):
            prefix = v1.get_variable_scope().name if node.is_shared else self._graph.get_name_scope()
            name = f"{prefix}/{node.name}".lstrip("/").lower()
            if name not in self._graph._names_in_use:
                self._graph._names_in_use[name] = 1
                self._taken[node.id] = name

    def make(self, node: Node) -> None:
        """Give a node its name, if it is a variable for which it was taken."""
        name = self._taken.pop(node.id, None)
        if name is not None:
            del self._graph._names_in_use[name]
