"""Reserves the names of variables: an op without a name must not take the name of a later variable or of its scope.

TensorFlow ignores case in names, so `reduce_mean(x)`, whose node is `Mean`, would change a variable `mean` to `mean_1`,
in the graph and in every checkpoint. The initial value of `variable b: float32[2] = zeros` would change a variable
`zeros/w` to `zeros_1/w`. The names of a scope's variables, and of the scopes in it that have variables, are reserved
when the scope opens, and released when the variables are made and the scopes opened.
"""

from collections import defaultdict
from itertools import pairwise
from typing import assert_never

from ..program import Enter, Exit, Item, Node
from .tf import tf, v1

_OUTSIDE = -1


def variables_of(items: tuple[Item, ...]) -> dict[int, list[Node | int]]:
    """The variables made directly in each scope, and the scopes in it that have variables, as the index at which they
    open. Each list is by the index at which its scope opens (-1 outside all scopes).

    A variable or scope is left out if the program used its name earlier in the same scope.
    """
    found: dict[int, list[Node | int]] = defaultdict(list)
    given: dict[int, set[str]] = defaultdict(set)
    opened = [_OUTSIDE]
    first: set[int] = set()  # the scopes whose names were not used before
    for at, item in enumerate(items):
        scope = opened[-1]
        match item:
            case Enter(kind="scope"):
                if item.name.lower() not in given[scope]:
                    first.add(at)
                given[scope].add(item.name.lower())
                opened.append(at)
            case Enter():
                opened.append(scope)
            case Exit():
                opened.pop()
            case Node() if item.name is not None:
                if item.is_variable and not item.is_whole and item.name.lower() not in given[scope]:
                    found[scope].append(item)
                if item.is_variable and not item.is_whole:
                    _note_scopes(found, opened, first)
                given[scope].add(item.name.lower())
            case Node():
                pass
            case _:
                assert_never(item)
    return found


def _note_scopes(found: dict[int, list[Node | int]], opened: list[int], first: set[int]) -> None:
    """Note the scopes around a variable, each in the one around it."""
    for outer, scope in pairwise(opened):
        if scope != outer and scope in first and scope not in found[outer]:
            found[outer].append(scope)


class VariableNames:
    """The names of the remaining variables of one graph."""

    def __init__(self, graph: tf.Graph, items: tuple[Item, ...]):
        self._graph, self._items, self._variables = graph, items, variables_of(items)
        self._taken: dict[str, str] = {}  # by the node of the variable, or the index at which the scope opens
        self.enter(_OUTSIDE)

    def enter(self, at: int) -> None:
        """Reserve the names in the scope that was just opened."""
        for one in self._variables.get(at, ()):
            item = one if isinstance(one, Node) else self._items[one]
            assert isinstance(item, (Node, Enter))
            is_shared = isinstance(item, Node) and item.is_shared
            prefix = v1.get_variable_scope().name if is_shared else self._graph.get_name_scope()
            name = f"{prefix}/{item.name}".lstrip("/").lower()
            if name not in self._graph._names_in_use:
                self._graph._names_in_use[name] = 1
                self._taken[_key(one)] = name

    def open(self, at: int) -> None:
        """Release the name of a scope that opens now, if it was reserved."""
        self._release(_key(at))

    def make(self, node: Node) -> None:
        """Release the name of a node, if it was reserved."""
        self._release(_key(node))

    def _release(self, key: str) -> None:
        name = self._taken.pop(key, None)
        if name is not None:
            del self._graph._names_in_use[name]


def _key(one: Node | int) -> str:
    return f"node {one.id}" if isinstance(one, Node) else f"scope {one}"
