"""Reserves the names of variables: an op without a name must not take the name of a later variable.

TensorFlow ignores case in names, so `reduce_mean(x)`, whose node is `Mean`, would change a variable `mean` to `mean_1`,
in the graph and in every checkpoint. The names of a scope's variables are reserved when the scope opens, and released
when the variables are made.
"""

from collections import defaultdict
from typing import assert_never

from ..program import Enter, Exit, Item, Node
from .tf import tf, v1

_OUTSIDE = -1


def variables_of(items: tuple[Item, ...]) -> dict[int, list[Node]]:
    """The variables made directly in each scope, by the index at which the scope opens (-1 outside all scopes).

    A variable is left out if the program used its name earlier in the same scope.
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
                if item.is_variable and not item.is_whole and item.name.lower() not in given[scope]:
                    found[scope].append(item)
                given[scope].add(item.name.lower())
            case Node():
                pass
            case _:
                assert_never(item)
    return found


class VariableNames:
    """The names of the remaining variables of one graph."""

    def __init__(self, graph: tf.Graph, items: tuple[Item, ...]):
        self._graph, self._variables = graph, variables_of(items)
        self._taken: dict[int, str] = {}  # by the node of the variable
        self.enter(_OUTSIDE)

    def enter(self, at: int) -> None:
        """Reserve the names of the variables in the scope that was just opened."""
        for node in self._variables.get(at, ()):
            prefix = v1.get_variable_scope().name if node.is_shared else self._graph.get_name_scope()
            name = f"{prefix}/{node.name}".lstrip("/").lower()
            if name not in self._graph._names_in_use:
                self._graph._names_in_use[name] = 1
                self._taken[node.id] = name

    def make(self, node: Node) -> None:
        """Release the name of a node, if it was reserved."""
        name = self._taken.pop(node.id, None)
        if name is not None:
            del self._graph._names_in_use[name]
