"""The number of iterations of a `While`, if it depends on constants alone.

The gradient of a loop stores the values of each iteration in a list, and XLA must know the length of the list. This
module follows what the condition depends on through the body. If its initial values are all constants, the iterations
are executed here, without the rest of the body.
"""

from collections.abc import Callable

import numpy as np

from .definitions import op_name
from .tf import FunctionDef, FunctionDefLibrary, function_graph, op_def, tf, v1

_MOST = 1000  # iterations to execute at most


class _Unknown(Exception):
    """The number of iterations depends on more than constants."""


class _Function:
    """The condition or the body of a loop: the dependencies of its results, and their values."""

    def __init__(self, function: FunctionDef, library: FunctionDefLibrary):
        definition, names = function_graph(function)
        definition.library.CopyFrom(library)
        self._nodes = {node.name: node for node in definition.node}
        self._arguments = [argument.name for argument in function.signature.input_arg]
        self._results = [names[function.ret[result.name]] for result in function.signature.output_arg]
        with tf.Graph().as_default() as graph:
            v1.import_graph_def(definition, name="")
        self._session = v1.Session(graph=graph)

    def dependencies(self, number: int) -> set[int]:
        """The numbers of the arguments that a result depends on."""
        seen: set[str] = set()
        todo = [self._results[number]]
        while todo:
            name = op_name(todo.pop())
            if name in seen:
                continue
            seen.add(name)
            if name not in self._arguments:
                definition = op_def(self._nodes[name].op)
                assert definition is not None
                if definition.is_stateful:
                    raise _Unknown
            todo += self._nodes[name].input
        return {self._arguments.index(name) for name in seen if name in self._arguments}

    def values(self, numbers: list[int], arguments: dict[int, np.ndarray]) -> list[np.ndarray]:
        """The values of some results, given arguments."""
        feeds = {f"{self._arguments[number]}:0": value for number, value in arguments.items()}
        return self._session.run([self._results[number] for number in numbers], feeds)


def iterations(
    condition: FunctionDef, body: FunctionDef, library: FunctionDefLibrary,
    initial: Callable[[int], np.ndarray | None],
) -> int | None:  # fmt: skip
    """The number of iterations of a loop, given the definitions of its condition and body, or None if unknown.
    `initial` returns the initial constant of an argument, or None if it is not a constant."""
    asked, turned = _Function(condition, library), _Function(body, library)
    try:
        needed = asked.dependencies(0)
        while not needed >= (more := needed.union(*map(turned.dependencies, needed))):
            needed = more
    except _Unknown:
        return None
    values: dict[int, np.ndarray] = {}
    begins = {number: initial(number) for number in sorted(needed)}
    for number, value in begins.items():
        if value is None:
            return None
        values[number] = value
    for count in range(_MOST):
        if not asked.values([0], values)[0]:
            return count
        values = dict(zip(values, turned.values(list(values), values), strict=True))
    return None
